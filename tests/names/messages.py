"""Sentences as business systems write them, in Russian, Kazakh and English, with names in the cases that they demand and with capitals
that are no names: cities, firms, goods, streets. All invented here; the English ones are joined by presidio-evaluator's templates (MIT)."""
import csv
import json
import random
import re
import zipfile

import lexicon

RU_GIVEN_M = """Александр Алексей Анатолий Андрей Антон Аркадий Артём Борис Вадим Валентин Валерий Василий Виктор Виталий Владимир Владислав
Вячеслав Геннадий Георгий Григорий Даниил Денис Дмитрий Евгений Егор Иван Игорь Илья Кирилл Константин Леонид Максим Марат Матвей Михаил
Никита Николай Олег Павел Пётр Роман Руслан Семён Сергей Станислав Степан Тимур Фёдор Эдуард Юрий Ярослав""".split()
RU_GIVEN_F = """Александра Алина Алла Анастасия Анна Валентина Валерия Вера Вероника Виктория Галина Дарья Диана Евгения Екатерина Елена
Елизавета Жанна Зинаида Инна Ирина Карина Кристина Ксения Лариса Лидия Любовь Людмила Маргарита Марина Мария Надежда Наталья Нина Оксана
Ольга Полина Раиса Светлана София Тамара Татьяна Ульяна Эльвира Юлия Яна""".split()
RU_SURNAMES = """Абрамов Алексеев Андреев Антонов Афанасьев Баранов Белов Беляев Богданов Борисов Бочаров Васильев Виноградов Власов Волков
Воробьёв Воронин Гаврилов Голубев Горбунов Григорьев Громов Гусев Давыдов Данилов Демидов Денисов Дмитриев Егоров Ефимов Жуков Зайцев
Захаров Зимин Зуев Иванов Игнатов Ильин Исаев Калинин Карпов Киселёв Ковалёв Козлов Колесников Комаров Кондратьев Королёв Котов Крылов
Кудрявцев Кузнецов Кузьмин Куликов Лебедев Логинов Макаров Максимов Мартынов Маслов Матвеев Медведев Мельников Миронов Михайлов Морозов
Назаров Некрасов Никитин Николаев Новиков Носков Орлов Осипов Павлов Панов Петров Поляков Попов Прохоров Пономарёв Родионов Романов Рыбаков
Савельев Сазонов Сафонов Семёнов Сергеев Сидоров Смирнов Соболев Соколов Соловьёв Сорокин Степанов Суханов Тарасов Тимофеев Титов Тихонов
Третьяков Трофимов Ушаков Фёдоров Филатов Филиппов Фомин Фролов Харитонов Цветков Чернов Шестаков Широков Щербаков Юдин Яковлев""".split()
KK_GIVEN_M = """Абай Абзал Айбек Айдар Айдос Алмас Амангелді Арман Арыстан Асан Асқар Бақытжан Бауыржан Бекзат Берік Болат Ғани Дархан Дәулет
Дидар Досжан Ерболат Ерлан Ерсұлтан Жандос Жәнібек Жасұлан Қайрат Қанат Қуаныш Мақсат Марат Мұрат Мұхтар Нұрбек Нұржан Нұрлан Нұрсұлтан
Олжас Рүстем Сабыр Санжар Серік Сұлтан Талғат Тимур Төлеген Ұлан Шыңғыс Ілияс""".split()
KK_GIVEN_F = """Айгүл Айжан Айнұр Айша Алия Алтынай Әсел Әсем Баян Ботагөз Гүлжан Гүлмира Гүлнар Дана Динара Жанар Жібек Зере Инкар Қарлығаш
Камила Лаура Мадина Майра Меруерт Назгүл Назым Нұргүл Орынгүл Рауан Сабина Салтанат Сәуле Толқын Ұлжан Шолпан Ақерке Ақмарал""".split()
KK_SURNAMES = """Абдрахманов Ахметов Алиев Аманжолов Асқаров Ауэзов Әбілов Әлімбеков Байжанов Бекмұхамбетов Бейсенов Бектұров Дүйсенов Досмұхамедов
Ерғалиев Ермеков Есенов Жакупов Жұмабаев Жүнісов Ибраев Искаков Қасымов Қалиев Қожахметов Қонаев Құнанбаев Мұқанов Мырзахметов Нұрғалиев
Нұрпейісов Оразов Омаров Оспанов Рахимов Сағынтаев Садықов Сейітов Серікбаев Смағұлов Сүлейменов Тоқаев Төлебаев Темірханов Тілеубердин
Утегенов Үмбетов Хасенов Шаймерденов Ысқақов""".split()
CITIES = "Алматы Астана Шымкент Караганда Актобе Тараз Павлодар Костанай Москва Казань Самара Ташкент Бишкек Берлин Лондон Омск".split()
FIRMS = ["Каспий Логистика", "Самрук", "Альфа", "Восток Сервис", "Технодом", "Магнум", "Ромашка", "Север Телеком", "Байтерек", "Арай", "Дос"]
RU_PLAIN = ["Заказ", "Счёт", "Договор", "Доставка", "Скидка", "Оплата", "Акция", "Услуга", "Кабинет", "Чек"]

# {n} nominative, {g} genitive, {d} dative, {a} accusative, {i} instrumental; {f} a given name alone; {s} a surname with initials.
RUSSIAN = """Здравствуйте, {f}! Ваш заказ № {num} готов к выдаче.
Уважаемый {n}, напоминаем о визите {date}.
Уважаемая {n}! Ваша заявка принята.
Добрый день, {f}. Код подтверждения: {num}
Заявка от {g}: не работает вход в Личный кабинет.
Клиент {n} просит перезвонить по номеру +7 701 000 00 01.
Передать {d} документы до конца недели.
Встреча с {i} перенесена на {date}, {city}.
Оплата поступила от {g}, договор {num}.
Получатель: {n}, г. {city}, ул. {street}, {num}
Отправитель {n}. Получатель {n}.
Направить {a} на обследование в {city}.
Пациент {n} поступил {date}. Лечащий врач {s}.
Ответственный: {s}
Директор ТОО «{firm}» {s} подписал договор.
С уважением, {n}, {firm}
С уважением,\\n{n}
Менеджер {f} свяжется с вами. Спасибо, что выбрали {firm}!
Сотрудник {n} ({s}) уволен приказом № {num}.
По словам {g}, поставка задержана в порту {city}.
{n} оставил отзыв о товаре «{firm}».
{n}, {n} и {n} приглашены на собеседование.
Назначен новый исполнитель: {n}.
{f}, добрый день! Подскажите, когда придёт Заказ {num}?
Маме {g} назначена пенсия.
Компания «{firm}» открывает офис в городе {city}.
{plain} {num} оплачен. {firm} благодарит вас за покупку.
Улица {street}, дом {num}, {city}, Казахстан
Новая коллекция {firm} уже в магазинах {city} и {city}.
{plain} № {num} от {date}. {city} — {city}.
Министерство здравоохранения Республики Казахстан
Акция действует до {date} во всех магазинах {firm}. Подробнее на сайте.
Международный аэропорт {city}, Терминал {num}.
Тариф «{firm}»: Интернет без ограничений. {city}.
Рейс {city} — {city} задержан. Авиакомпания {firm} приносит извинения.
Банк {firm} сообщает: Карта активирована. Служба поддержки.""".split("\n")
KAZAKH = """Сәлеметсіз бе, {f}! Тапсырысыңыз № {num} дайын.
Құрметті {n}, өтінішіңіз қабылданды.
Құрметті {f}! Растау коды: {num}
Клиент {n} қайта қоңырау шалуды сұрайды.
{n} мырзаға құжаттарды жіберіңіз.
Алушы: {n}, {city} қаласы, {street} көшесі, {num}
Жіберуші {n}. Алушы {n}.
{ng} өтініші бойынша шарт № {num} жасалды.
{nd} хабарласыңыз: +7 701 000 00 01.
{n} мен {n} кездесуге шақырылды.
Дәрігер {s} қабылдауы {date}.
Құрметпен, {n}, {firm}
Құрметпен,\\n{n}
Жауапты тұлға: {s}
{f}, қайырлы күн! Тапсырыс {num} қашан келеді?
«{firm}» ЖШС {city} қаласында жаңа кеңсе ашты.
{plain} {num} төленді. {firm} сізге алғыс айтады.
Қазақстан Республикасы Денсаулық сақтау министрлігі
{city} — {city} рейсі кешіктірілді.
Науқан {date} дейін барлық {firm} дүкендерінде жүреді.""".split("\n")
ENGLISH = """Dear {{person}}, your order #{{building_number}} is ready for pickup.
Hello {{first_name}}, thank you for your purchase at {{organization}}.
Hi {{first_name}}! Your verification code is {{building_number}}.
Best regards,\\n{{person}}\\n{{organization}}
Kind regards, {{person}}
Ship to: {{person}}, {{address}}
Customer {{person}} called about invoice {{building_number}}.
Assigned to {{person}} by {{person}}.
{{person}} commented on your ticket: please call {{phone_number}}.
Meeting with {{person}} and {{person}} on {{day_of_week}} at {{city}}.
Payment received from {{person}} for Order {{building_number}}.
Signed by {{person}}, {{job}}.
Patient {{person}} was admitted on {{day_of_week}}.
Please contact {{person}} ({{email}}) for details.
Sender: {{person}}. Recipient: {{person}}.
The delivery for {{person}} could not be completed in {{city}}.
Interview with {{first_name}} {{last_name}} moved to {{day_of_week}}.
New Year Sale at {{organization}}: Free Shipping on All Orders!
Order Confirmation: Your Premium Plan is Active
Welcome to {{organization}}. Open Settings, then Billing, then Invoices.
Monthly Report for {{city}} Branch is Available. See {{organization}} Dashboard.
Terms of Service and Privacy Policy of {{organization}} have changed.
{{city}} Airport Terminal: Gate {{building_number}} is Open.
{{street_name}}, {{city}}, {{country}}
Blue Cotton Shirt by {{organization}} is Back in Stock.
Summer Collection 2026: Linen Dress, Leather Bag, Straw Hat
Invalid Request: Missing Field Email Address In Body
Error: Connection Refused. Service Unavailable. Retry Later.
United States, New York, Wall Street {{building_number}}""".split("\n")
PER_LINE = 60
# One row in so many is given again in small letters, as people type in chats.
UNCAPITALISED = 30

# What machines and catalogues write with capitals: none of it is a name.
THINGS = """Account Action Address Agent Alert Amount Analytics App Application Archive Attempt Attribute Auth Backup Balance Bar Base Basket
Batch Billing Block Board Body Book Bot Branch Browser Bucket Buffer Build Button Cache Calendar Call Campaign Card Cart Catalog Category
Center Channel Chart Check Client Cloud Cluster Code Collection Column Command Comment Company Component Config Connection Console Contact
Container Content Context Control Cookie Copy Counter Country Coupon Course Currency Customer Dashboard Data Database Date Deal Default
Delivery Department Description Desktop Detail Device Dialog Directory Discount Document Domain Download Draft Driver Edition Editor Element
Email Employee Engine Entry Environment Error Event Example Exception Export Factory Failure Feature Feed Field File Filter Flow Folder Form
Format Frame Function Gateway Group Guide Handler Header Hook Host Icon Image Import Index Input Instance Interface Internet Invoice Item Job
Journal Key Keyboard Label Language Layer Layout Lead Level Library License Limit Line Link List Listener Loader Location Log Login Machine
Manager Map Market Matrix Media Member Memory Menu Message Method Metric Mode Model Module Monitor Monitoring Name Network Node Notification
Number Object Offer Office Operation Option Order Organization Output Owner Package Page Panel Parameter Parser Partner Password Path Payment
Phone Photo Pipeline Plan Platform Player Plugin Point Policy Pool Port Portal Post Price Printer Priority Process Product Profile Program
Project Property Protocol Provider Proxy Purchase Quality Quantity Query Queue Quota Range Rate Reader Record Reference Refund Region Register
Release Reminder Report Request Resource Response Result Return Review Role Room Route Rule Sale Sample Scale Schedule Scheduler Schema Screen
Script Search Section Segment Sender Server Service Session Set Setting Settings Setup Shipping Shop Signal Site Size Source Space Stack Stage
Standard State Statistics Status Stock Storage Store Stream String Style Subject Submit Subscription Summary Supplier Support System Tab Table
Tag Target Task Tax Team Template Terminal Test Text Theme Thread Ticket Time Timeline Timeout Title Token Tool Topic Total Trace Tracker
Transaction Transfer Trigger Type Unit Update Upgrade Upload User Value Variable Vendor Version Video View Visit Volume Warehouse Warning Watch
Web Webhook Widget Window Wizard Workflow Worker Workspace Zone Shirt Dress Jacket Shoes Phone Laptop Cable Charger Chair Table Lamp Coffee Tea
Chocolate Cookies Bread Milk Juice Water Toy Game Puzzle Book Bag Watch Ring Camera Speaker Headphones Battery Tire Oil Car Bike Ticket Tour
Hotel Flight Pizza Burger Salad Soup""".split()
WORDS = """New Old Main Default Active Inactive Updated Created Deleted Pending Open Closed Failed Successful Invalid Missing Unknown Internal
External Public Private Global Local Free Premium Basic Standard Advanced Custom Automatic Manual Monthly Weekly Daily Annual First Second
Third Next Previous Last Total Average Maximum Minimum Red Blue Green Black White Big Small Fast Slow Hot Cold Smart Digital Mobile Online
Offline Quick Simple Secure Extra Super Mega Ultra Classic Modern Fresh Organic Wireless Portable Electric Leather Cotton Golden Silver
Detailed Quadruple Double Single Before After Started Stopped Starting Stopping Running Loading Sending Received Processing Cannot Could
Please Select Choose Enter Click Add Remove Edit Save Cancel Confirm Accept Reject Back Continue Show Hide Enable Disable""".split()
BRANDS = "Mozilla Windows Linux Android Chrome Firefox Safari Apache Nginx Oracle Docker Kubernetes Python Java Postgres Redis Kafka Toyota Skoda Sony Samsung Lenovo Canon Monopoly Lego Oreo Pepsi Adidas Gucci Zara Ikea Visa Mastercard Google Amazon Facebook Twitter Slack Stripe Telegram Instagram".split()
TECHNICAL = """{W} {T}
{W} {T} {T}
{W} {W} {T}
{T} {T}
{T} {W} {T}: {w} {t} in {T}
{B} {W} {T} {T} {num}
{T}: {T} {t} is {w}. {W} {t} {num}.
{T}{T} {t} {num} {w}: {T} for {T} {T}
{W} {t} to {t} {num} from {T} {T}, {T} {t}
[{T}] {W} {T}{T} with {t}={num}, {t}={T}
{T}{T}Impl: {W} {t} of {T} {num}
{W} {T} on {num}: {T} {w} for {t} ({T}:{T})
{B} {T} {num}: {W} {T} with {T} and {T}
{T} {num} - {W} {T} {w}
{W} {B} {T}, {T} {num}
{B}/5.0 (X11; {B}) {B}/{num}
{W} the {t} in the {T} {T} before you {t} the {w} {t}.
The {t} was {w} by the {T}. {W} {T} to {t}.
Use {T} {T} to {t} a {w} {t} for each {T}.
{T} {T} is {w} and {w}; see {T} {num}.
Your {B} {T} is {w}. {W} {T} now!
Buy {B} {W} {T} {num} and get {W} {T} {w}
This {t} contains {w} {T} {T} from {B}.
{B} {W} {T} with {T} {T}
{B} {T} {W} {num} {T}, {num} {T} {T}, {W} {B} {T}
{W}, the {t} is {w} in the {t} of {T}.
{T} {t}, {t} and {t} {w} {t}. {T} {w} the {t}.
{B} {B} {W} {num}""".split("\n")


TECHNICAL_RUSSIAN = """{W} {t} {t} {w} {num}
{T} {t}: {w} {t}, {w} {t}. {W} {t}.
{W} {t} «{T} {t}» {w} {t} {num}
{W}, {w} {t} {w} {t} {t}.
{T} — {t} {w} {t} {num}. {W} {t} {w}
«{T}»: {w} {t} {w} {t} {t}
{W} {T} {t} {w} {t}, {t} {T} {t}""".split("\n")


def declined(word, case, is_female):
    """A Russian name in a case; what has no rule here stays as it is."""
    stem, last = word[:-1], word[-1]
    if is_female and word.endswith(("ова", "ева", "ина", "ёва")):
        return word if case == "n" else stem + {"g": "ой", "d": "ой", "a": "у", "i": "ой"}[case]
    if word.endswith(("ов", "ев", "ин", "ёв")) and not is_female:
        return word + {"n": "", "g": "а", "d": "у", "a": "а", "i": "ым"}[case]
    if case == "n":
        return word
    if last == "а":
        return stem + {"g": "и" if stem[-1] in "гкхжчшщ" else "ы", "d": "е", "a": "у", "i": "ой"}[case]
    if last == "я":
        ending = {"g": "и", "d": "и" if stem[-1] == "и" else "е", "a": "ю", "i": "ей"}[case]
        return stem + ending
    if last == "й":
        return stem + {"g": "я", "d": "ю", "a": "я", "i": "ем"}[case]
    if last == "ь":
        return stem + ({"g": "и", "d": "и", "a": "ь", "i": "ью"} if is_female else {"g": "я", "d": "ю", "a": "я", "i": "ем"})[case]
    if last in "аеёиоуыэюя" or is_female:
        return word
    return word + {"g": "а", "d": "у", "a": "а", "i": "ом"}[case]


def patronymic(father, is_female):
    stem = {"Илья": "Иль", "Никита": "Никит", "Павел": "Павл", "Пётр": "Петр", "Лев": "Льв"}.get(father, father)
    if stem.endswith("ий"):
        stem = stem[:-2] + "ь"
        return stem + ("евна" if is_female else "евич")
    if stem.endswith(("й", "ь")):
        return stem[:-1] + ("евна" if is_female else "евич")
    return stem + ("овна" if is_female else "ович")


class Names:
    """Draws names; the same seed draws the same."""

    def __init__(self, lists, seed):
        self.random = random.Random(seed)
        mit = [json.loads(line) for line in open(lists, encoding="utf8")]
        mit = [it for it in mit if it["licence"] == "MIT"]
        self.faker = {}
        for it in mit:
            self.faker.setdefault((it["lang"], it["kind"]), []).append(it["value"])
        with zipfile.ZipFile(presidio()) as wheel:
            inside = {pathlib_name(it): it for it in wheel.namelist()}
            table = wheel.read(inside["FakeNameGenerator.com_3000.csv"]).decode("utf-8-sig").splitlines()
            self.people = list(csv.DictReader(table))
            known = lexicon.lines()
            named = {it.split()[1] for it in known if it.startswith(("given", "surname"))}
            words = [it.split()[1] for it in known if it.startswith("common")]
            plain = [it for it in words if it not in named]
            self.common = {"ru": [it for it in plain if not it.isascii()], "en": [it for it in plain if it.isascii()]}
            self.templates = [it for it in wheel.read(inside["templates.txt"]).decode("utf8").splitlines() if it.strip()]

    def pick(self, items):
        return self.random.choice(items)

    def cyrillic(self, language, case):
        is_female = self.random.random() < 0.5
        if language == "kk" or self.random.random() < 0.4:
            given = self.pick(KK_GIVEN_F if is_female else KK_GIVEN_M)
            surname = self.pick(KK_SURNAMES) + ("а" if is_female else "")
            father = self.pick(KK_GIVEN_M) + self.pick(["қызы", "овна"] if is_female else ["ұлы", "ович"])
        else:
            given = self.pick(RU_GIVEN_F if is_female else RU_GIVEN_M)
            surname = self.pick(RU_SURNAMES) + ("а" if is_female else "")
            father = patronymic(self.pick(RU_GIVEN_M), is_female)
        if language == "ru":
            given, surname, father = (declined(it, case, is_female) for it in (given, surname, father))
        draw = self.random.random()
        if draw < 0.3:
            return f"{surname} {given} {father}"
        if draw < 0.45:
            return f"{given} {father}"
        if draw < 0.6:
            return f"{surname} {given}"
        if draw < 0.85:
            return f"{given} {surname}"
        return surname if draw < 0.95 else given

    def initials(self, language):
        surname = self.pick(KK_SURNAMES if language == "kk" else RU_SURNAMES + KK_SURNAMES)
        first, second = (self.pick("АБВГДЕЖЗИКЛМНОПРСТ") for _ in range(2))
        return self.pick([f"{surname} {first}. {second}.", f"{surname} {first}.{second}.", f"{first}. {second}. {surname}", f"{first}.{second}. {surname}", f"{surname} {first}."])

    def filled(self, template, language):
        """The line with the places of its names."""

        def value(kind):
            if kind in "ngdai":
                return self.cyrillic(language, kind), True
            if kind == "f":
                return self.pick(RU_GIVEN_F + RU_GIVEN_M + KK_GIVEN_F + KK_GIVEN_M if language == "ru" else KK_GIVEN_F + KK_GIVEN_M), True
            if kind == "s":
                return self.initials(language), True
            if kind in ("ng", "nd"):
                name = self.pick(KK_GIVEN_M + KK_GIVEN_F) + " " + self.pick(KK_SURNAMES)
                return name + {"ng": self.pick(["тың", "ның", "дың"]), "nd": self.pick(["қа", "ға"])}[kind], True
            plain = {"num": str(self.random.randint(1, 99999)), "date": self.pick(["12.05.2026", "3 мая", "Понедельник"]), "city": self.pick(CITIES),
                     "street": self.pick(["Абая", "Достык", "Ленина", "Сейфуллина", "Мира", "Толе би"]), "firm": self.pick(FIRMS), "plain": self.pick(RU_PLAIN)}
            return plain[kind], False

        return fill(template, r"\{([a-z]+)\}", value)

    def technical(self, template):
        def value(kind):
            draws = {"T": THINGS, "t": THINGS, "W": WORDS, "w": WORDS, "B": BRANDS}
            if kind == "num":
                return str(self.random.randint(0, 99999)), False
            chance = self.random.random()
            if kind.isupper() and chance < 0.08:
                return "".join(self.pick("ABCDEFGHIKLMNOPRSTUVWX") for _ in range(self.random.randint(2, 4))), False
            word = self.pick(self.common["en"] if chance < 0.6 and kind != "B" else draws[kind]).capitalize()
            return (word.lower() if kind.islower() else word), False

        def russian(kind):
            if kind == "num":
                return str(self.random.randint(0, 99999)), False
            word = self.pick(self.common["ru"])
            return (word.capitalize() if kind.isupper() else word), False

        row = fill(template, r"\{([a-zA-Z]+)\}", russian if template in TECHNICAL_RUSSIAN else value)
        if self.random.random() < 0.2:
            row["text"] = " ".join(row["text"] for row in [row, *(fill(self.pick(TECHNICAL), r"\{([a-zA-Z]+)\}", value) for _ in range(3))])
        return row

    def english(self, template):
        person = self.pick(self.people)
        given = lambda: self.pick([self.pick(self.people)["GivenName"]] * 2 + [self.pick(self.faker["en", "firstNameFemale"] + self.faker["en", "firstNameMale"])])
        surname = lambda: self.pick([self.pick(self.people)["Surname"]] * 2 + [self.pick(self.faker["en", "lastName"])])
        firm = lambda: self.pick([person["Company"], person["Company"], f"{surname()}, {surname()} and {surname()}", surname() + self.pick([" Inc.", " LLC", " Group", " Ltd", " and Sons"]), f"{surname()}-{surname()}", "The " + person["Company"]])

        def value(kind):
            if kind in ("person", "name"):
                full = f"{given()} {surname()}"
                return self.pick([full] * 5 + [given(), surname(), f"{given()} {self.pick('ABCDEFGHJKLMNPRST')}{self.pick(['.', ''])} {surname()}"]), True
            if kind.startswith("first_name"):
                return given(), True
            if kind.startswith("last_name"):
                return surname(), True
            if kind.startswith("name_"):
                return f"{given()} {surname()}", True
            plain = {"prefix": self.pick(["Mr.", "Mrs.", "Ms.", "Dr."]), "organization": firm(), "city": person["City"], "country": person["CountryFull"],
                     "street_name": self.pick([person["StreetAddress"], f"{surname()} {self.pick(['Street', 'Avenue', 'Road', 'Village', 'Drive'])}"]),
                     "address": f"{person['StreetAddress']}, {person['City']}", "job": person["Occupation"], "postcode": person["ZipCode"], "zipcode": person["ZipCode"],
                     "state_abbr": person["State"], "phone_number": "+7 701 000 00 01", "email": "someone@example.org", "credit_card_number": "4111 1111 1111 1111",
                     "year": str(self.random.randint(1900, 2026)), "age": str(self.random.randint(2, 90)), "building_number": str(self.random.randint(1, 9999)),
                     "secondary_address": f"Apt. {self.random.randint(1, 900)}", "nationality": self.pick(["German", "Czech", "American", "Kazakh", "French"]),
                     "url": "https://example.org", "day_of_week": self.pick(["Monday", "Friday", "Sunday"])}
            return plain.get(kind, plain.get(kind.split("_")[0], "x")), False

        return fill(template, r"\{\{([a-z_]+)\}\}", value)


def fill(template, pattern, value):
    text, spans, at = "", [], 0
    template = template.replace("\\n", "\n")
    for it in re.finditer(pattern, template):
        text += template[at:it.start()]
        filled, is_name = value(it.group(1))
        if is_name:
            spans.append([len(text), len(text) + len(filled)])
        text += filled
        at = it.end()
    return {"text": text + template[at:], "spans": spans}


def presidio():
    """The wheel of presidio-evaluator, which holds the templates and names of its own generator."""
    return lexicon.source("presidio_evaluator-0.3.2")


def pathlib_name(path):
    return path.rsplit("/", 1)[-1]


def generate(lists, seed=20261125):
    names = Names(lists, seed)
    out = []
    for _ in range(PER_LINE):
        out += [names.filled(it, "ru") for it in RUSSIAN]
        out += [names.filled(it, "kk") for it in KAZAKH]
        out += [names.english(it) for it in ENGLISH]
        out += [names.english(it) for it in names.templates]
        out += [names.technical(it) for it in (TECHNICAL + TECHNICAL_RUSSIAN) * 4]
    out += [{**it, "text": lowered} for it in names.random.sample(out, len(out) // UNCAPITALISED) if len(lowered := it["text"].lower()) == len(it["text"])]
    names.random.shuffle(out)
    return out
