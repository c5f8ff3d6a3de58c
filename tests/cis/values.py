"""Values of persons who cannot exist: IINs and PINFLs of the 1800s, numbers of lines, series and regions that are never issued.

Check digits hold where a number has them, since that is what a detector reads. `V` is a value with its category and the value that
stands in its place in the clean twin.
"""
import hashlib


class V:
    """A personal value: its category, how it is written, and what its twin holds (`tk`: under which key). A part of an address that
    points to no house (`part`) is neither asked for nor held against anybody."""

    def __init__(self, code, value, twin='', tk=None, part=False):
        self.code, self.value, self.twin, self.tk, self.part = code, value, twin, tk, part


class T:
    """A text with values in it: `Здравствуйте, {}!`; the twin is a text of its own."""

    def __init__(self, text, *values, twin):
        self.text, self.values, self.twin = text, values, twin


class K:
    """A JSON document inside a string."""

    def __init__(self, node):
        self.node = node


SURNAMES = [('Серіков', 'Серікова', 'Serikov', 'Serikova'), ('Ахметов', 'Ахметова', 'Akhmetov', 'Akhmetova'), ('Оспанов', 'Оспанова', 'Ospanov', 'Ospanova'),
            ('Жұмабаев', 'Жұмабаева', 'Zhumabayev', 'Zhumabayeva'), ('Нұрланұлы', 'Нұрланқызы', 'Nurlanuly', 'Nurlankyzy'), ('Қасымов', 'Қасымова', 'Kassymov', 'Kassymova'),
            ('Смирнов', 'Смирнова', 'Smirnov', 'Smirnova'), ('Кузнецов', 'Кузнецова', 'Kuznetsov', 'Kuznetsova'), ('Ким', 'Ким', 'Kim', 'Kim'),
            ('Абдрахманов', 'Абдрахманова', 'Abdrakhmanov', 'Abdrakhmanova'), ('Бекенұлы', 'Бекенқызы', 'Bekenuly', 'Bekenkyzy'), ('Ткаченко', 'Ткаченко', 'Tkachenko', 'Tkachenko'),
            ('Юсупов', 'Юсупова', 'Yusupov', 'Yusupova'), ('Садыков', 'Садыкова', 'Sadykov', 'Sadykova'), ('Ли', 'Ли', 'Li', 'Li'), ('Өтегенов', 'Өтегенова', 'Otegenov', 'Otegenova')]
GIVEN = [('Нұрлан', 'Nurlan', 0), ('Айгүл', 'Aigul', 1), ('Ерлан', 'Yerlan', 0), ('Әсел', 'Assel', 1), ('Дәурен', 'Dauren', 0), ('Жанар', 'Zhanar', 1), ('Алексей', 'Alexey', 0),
         ('Ольга', 'Olga', 1), ('Қанат', 'Kanat', 0), ('Гүлнар', 'Gulnar', 1), ('Дмитрий', 'Dmitriy', 0), ('Мадина', 'Madina', 1), ('Бауыржан', 'Bauyrzhan', 0), ('Сәуле', 'Saule', 1),
         ('Тимур', 'Timur', 0), ('Анна', 'Anna', 1), ('Ұлан', 'Ulan', 0), ('Ырысты', 'Yrysty', 1)]
PATRONYMICS = [('Серікұлы', 'Серікқызы', 'Serikuly', 'Serikkyzy'), ('Ахметович', 'Ахметовна', 'Akhmetovich', 'Akhmetovna'), ('Болатұлы', 'Болатқызы', 'Bolatuly', 'Bolatkyzy'),
               ('Иванович', 'Ивановна', 'Ivanovich', 'Ivanovna'), ('Маратович', 'Маратовна', 'Maratovich', 'Maratovna'), ('Ержанұлы', 'Ержанқызы', 'Yerzhanuly', 'Yerzhankyzy')]
STREETS = ['ул. Абая, д. {h}, кв. {f}', 'Абай көшесі, {h}-үй, {f}-пәтер', 'пр-т Республики {h}/1, кв {f}', 'мкр. Самал-2, дом {h}, кв. {f}', 'Достық даңғылы {h}, {f} пәтер',
           'микрорайон Аксай-4, {h}, {f}', 'ул. Кабанбай батыра {h}', 'шағын ауданы Нұрсат, {h} үй', 'проспект Назарбаева, {h}, офис {f}', 'Abay koshesi {h}, pater {f}', 'ul. Satpayeva {h}, kv. {f}',
           'улица Ленина, {h}-{f}']
CITIES = ['Алматы', 'Астана', 'Шымкент', 'Қарағанды', 'Атырау', 'Павлодар', 'Almaty', 'Москва', 'Өскемен', 'Тараз']
ORGS = ['ТОО «Пример»', 'ЖШС «Үлгі»', 'АО «Образец Банк»', 'ООО "Ромашка"', 'ИП Магазин «Тест»', 'Example LLP', 'ТОО "Dala Foods"', 'ЖШС "Қымбат Тауар"']
EMPTY = ['', 'не указано', '-', 'н/д', 'көрсетілмеген', 'null', 'N/A', 'нет данных', '***']
ICD = ['J45.0', 'E11.9', 'I10', 'F32.1', 'B20', 'K29.5', 'O80', 'G40.2', 'C50.9', 'N18.3', 'M54.5', 'J06.9']
DISEASE = ['Бронхиальная астма', 'Сахарный диабет 2 типа', 'Артериальная гипертензия', 'Депрессивный эпизод', 'Қант диабеті, 2 тип', 'Жүрек ишемиясы', 'Хронический гастрит', 'Эпилепсия', 'Остеохондроз поясничного отдела', 'Демікпе']
PLATE_LETTERS = 'ABCDEFHKMNOPSTXYZ'
RU_PLATE_LETTERS = 'АВЕКМНОРСТУХ'


def check_iin(body):
    """The twelfth digit, or None where none is issued."""
    for weights in (range(1, 12), [3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]):
        rest = sum(int(d) * w for d, w in zip(body, weights)) % 11
        if rest < 10:
            return str(rest)
    return None


def luhn(body):
    """The check digit after `body`."""
    total = 0
    for i, d in enumerate(reversed(body)):
        n = int(d) * (2 if i % 2 == 0 else 1)
        total += n - 9 if n > 9 else n
    return str(-total % 10)


class Maker:
    """Makes the values of one body from one seeded generator."""

    def __init__(self, r):
        self.r = r
        self.sex = r.randrange(2)
        fits = [g for g in GIVEN if g[2] == self.sex]
        s, g, p = r.choice(SURNAMES), r.choice(fits), r.choice(PATRONYMICS)
        self.cyrillic = (s[self.sex], g[0], p[self.sex])
        self.latin = (s[2 + self.sex], g[1], p[2 + self.sex])
        self.year, self.month, self.day = r.randint(1945, 2012), r.randint(1, 12), r.randint(1, 28)
        self.words = self.latin if r.random() < .25 else self.cyrillic

    def pick(self, *options):
        return self.r.choice(options)

    def digits(self, n):
        return ''.join(self.r.choice('0123456789') for _ in range(n))

    def maybe(self, chance=.5):
        return self.r.random() < chance

    def empty(self):
        return self.r.choice(EMPTY)

    def other(self, template):
        """What stands in the place of a value in a twin."""
        return self.pick('', '{{%s}}' % template, '%%%s%%' % template.upper(), '-', 'null', 'N/A', '${%s}' % template, '***')

    # names
    def surname(self):
        return V('name.surname', self.case(self.words[0]), self.other('last_name'))

    def given(self):
        return V('name.given', self.case(self.words[1]), self.other('first_name'))

    def patronymic(self):
        return V('name.patronymic', self.case(self.words[2]), self.other('middle_name'))

    def case(self, word):
        return word.upper() if self.r.random() < .1 else word

    def full(self, twin=None):
        s, g, p = self.words
        text = self.pick(f'{s} {g} {p}', f'{s} {g}', f'{g} {s}', f'{s} {g} {p}', f'{s} {g[0]}. {p[0]}.', f'{s} {g[0]}.{p[0]}.')
        return V('name.full', self.case(text), self.r.choice(ORGS) if twin is None else twin)

    def holder(self):
        return V('name.full', f'{self.latin[1]} {self.latin[0]}'.upper(), self.pick('', 'CARDHOLDER NAME', '{{cardholder}}', 'INSTANT ISSUE'))

    # contacts
    def phone_text(self):
        code, last = self.pick('701', '702', '705', '707', '747', '771', '775', '777', '778'), f'000{self.r.randrange(100):02}{self.r.randrange(100):02}'
        a, b, c = last[:3], last[3:5], last[5:]
        return self.pick(f'+7{code}{last}', f'7{code}{last}', f'8{code}{last}', f'+7 ({code}) {a}-{b}-{c}', f'+7 {code} {a} {b} {c}', f'8 ({code}) {a} {b} {c}', f'8-{code}-{a}-{b}-{c}',
                         f'+7({code}){a}{b}{c}', f'7-{code}-{a}-{b}{c}')

    def phone(self, number=False):
        text = self.phone_text()
        if number:
            text = '7' + ''.join(c for c in text if c.isdigit())[-10:]
        return V('phone', text, self.pick('', '{{phone}}', '+7 (___) ___-__-__', '1414', 'N/A', '-'))

    def open_phone(self):
        """Under a key that says nothing, with what a reader recognises; the twin is too short."""
        code, a = self.pick('701', '705', '747', '777'), f'{self.r.randrange(100):02}'
        return V('phone', self.pick(f'+7{code}00000{a}', f'+7 {code} 000 00 {a}', f'8 ({code}) 000-00-{a}', f'+7 ({code}) 000-00-{a}'), self.pick(f'+7 {code} 000', f'({code}) 000-0', f'{code}-00-{a}'))

    def email(self):
        s, g, _ = self.latin
        user = self.pick(f'{g}.{s}', f'{g[0]}{s}', f'{s}_{g}', f'{g}{self.year}', f'{s}.{g[0]}+kz').lower()
        return V('email', user + '@' + self.pick('example.kz', 'example.com', 'mail.example.org', 'example.ru', 'пример.example'),
                 self.pick('', '{{email}}', 'info@example.kz', 'noreply@example.com', 'support@example.kz', 'sales@example.ru'))

    # state numbers
    def iin_digits(self):
        while True:
            body = f'{self.year % 100:02}{self.month:02}{self.day:02}{2 if self.sex else 1}{self.digits(4)}'
            if check_iin(body):
                return body + check_iin(body)
            self.day = self.r.randint(1, 28)

    def bin_digits(self):
        while True:
            body = f'{self.r.randint(0, 24):02}{self.r.randint(1, 12):02}{self.pick(4, 4, 5)}{self.pick(0, 0, 1)}{self.digits(5)}'
            if check_iin(body):
                return body + check_iin(body)

    def wrong(self, digits):
        """The number with another last digit."""
        return digits[:-1] + str((int(digits[-1]) + self.r.randint(1, 9)) % 10)

    def iin(self):
        """Under a key that names it; the twin is a company's number, or none."""
        text = self.iin_digits()
        return V('national_id', text if self.r.random() < .85 else f'{text[:6]} {text[6:]}', self.pick(self.bin_digits(), self.bin_digits(), '', '{{iin}}', '000000000000'))

    def open_iin(self, key='order_number'):
        """Under a key that says nothing: the twin has a wrong check digit, or a key of orders."""
        digits = self.iin_digits()
        return self.pick(V('national_id', digits, self.wrong(digits)), V('national_id', digits, digits, tk=key), V('national_id', digits, self.bin_digits()))

    def inn(self):
        body = '98' + self.digits(8)
        a = sum(int(d) * w for d, w in zip(body, [7, 2, 4, 10, 3, 5, 9, 4, 6, 8])) % 11 % 10
        body += str(a)
        b = sum(int(d) * w for d, w in zip(body, [3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8])) % 11 % 10
        return V('national_id', body + str(b), self.pick(self.company_inn(), ''))

    def company_inn(self):
        body = '98' + self.digits(7)
        return body + str(sum(int(d) * w for d, w in zip(body, [2, 4, 10, 3, 5, 9, 4, 6, 8])) % 11 % 10)

    def snils(self):
        body = '999000' + self.digits(3)
        rest = sum(int(d) * w for d, w in zip(body, range(9, 0, -1))) % 101 % 100
        text = f'{body[:3]}-{body[3:6]}-{body[6:]} {rest:02}'
        return V('national_id', self.pick(text, text, f'{body}{rest:02}'), self.pick('', '000-000-000 00', '{{snils}}'))

    def open_snils(self):
        body = '999000' + self.digits(3)
        rest = sum(int(d) * w for d, w in zip(body, range(9, 0, -1))) % 101 % 100
        write = lambda check: f'{body[:3]}-{body[3:6]}-{body[6:]} {check:02}'
        return V('national_id', write(rest), write((rest + 7) % 100))

    def pinfl_digits(self):
        body = f'{self.pick(1, 2)}{self.day:02}{self.month:02}{self.year % 100:02}{self.digits(6)}'
        return body + str(sum(int(d) * w for d, w in zip(body, [7, 3, 1] * 5)) % 10)

    def pinfl(self):
        return V('national_id', self.pinfl_digits(), self.pick('', '{{pinfl}}', '00000000000000'))

    def kg_pin(self):
        return V('national_id', f'{self.pick(1, 2)}{self.day:02}{self.month:02}18{self.year % 100:02}{self.digits(5)}', self.pick('', '-'))

    def oms(self):
        body = '98' + self.digits(13)
        return V('national_id', body + luhn(body), self.pick('', '0000000000000000'))

    # documents
    def id_card(self):
        return V('id_document', '000' + self.digits(6), self.pick('', '{{doc}}', '-'))

    def passport(self):
        return V('id_document', 'N00' + self.digits(6), self.pick('', '-', '{{passport}}'))

    def ru_passport(self):
        d = '98' + self.digits(8)
        return V('id_document', self.pick(d, f'{d[:4]} {d[4:]}', f'{d[:2]} {d[2:4]} {d[4:]}'), self.pick('', '-'))

    def uz_passport(self):
        return V('id_document', self.pick('AA', 'AB', 'AC') + '000' + self.digits(4), self.pick('', '-'))

    def licence(self):
        return V('id_document', self.pick('AB', 'BC', 'KZ') + ' 000' + self.digits(3), self.pick('', '-'))

    def issuer(self):
        return V('id_document', self.pick('МВД РК', 'ҚР ІІМ', 'МИНИСТЕРСТВО ВНУТРЕННИХ ДЕЛ РК', 'ОВД Центрального района', 'Министерство юстиции РК'), '')

    def date(self, year, month, day):
        return self.pick(f'{year}-{month:02}-{day:02}', f'{day:02}.{month:02}.{year}', f'{year}-{month:02}-{day:02}T00:00:00', f'{day:02}.{month:02}.{year}', f'{year}{month:02}{day:02}')

    def document_date(self):
        return V('id_document', self.date(self.r.randint(2012, 2024), self.month, self.day), '')

    def birth(self, tk='created_at'):
        text = self.date(self.year, self.month, self.day)
        return self.pick(V('birth_date', text, ''), V('birth_date', text, text, tk=tk), V('birth_date', text, self.pick('{{birthday}}', '-')))

    def gender(self):
        return V('sex', self.pick(('М', 'Ж'), ('male', 'female'), ('мужской', 'женский'), ('ер', 'әйел'), ('m', 'f'), ('MALE', 'FEMALE'))[self.sex], '')

    def citizen(self):
        return V('citizenship', self.pick('Казахстан', 'Қазақстан', 'РК', 'KZ', 'Республика Казахстан', 'KAZ'), '')

    def ethnicity(self):
        return V('special.ethnicity', self.pick('Казах', 'казашка', 'Қазақ', 'русский', 'Орыс', 'узбек', 'Ұйғыр', 'татарка', 'кореец'), '')

    # places
    def street(self):
        return self.r.choice(STREETS).format(h=self.r.randint(1, 250), f=self.r.randint(1, 180))

    def address(self):
        text = self.street()
        city = self.r.choice(CITIES)
        return V('address', self.pick(text, f'г. {city}, {text}', f'{city} қ., {text}', f'0{self.digits(5)}, Казахстан, {city}, {text}'), self.pick('', 'Самовывоз', '{{address}}', '-', 'н/д'))

    def city(self):
        return V('address', self.r.choice(CITIES), '', part=True)

    def postcode(self):
        if self.maybe():
            return V('address', '0' + self.digits(5), '', part=True)
        return V('address', self.pick(f'{self.pick("A", "Z", "X", "M")}{self.r.randint(10, 25)}{self.pick("A", "B", "D", "K")}{self.r.randint(1, 9)}{self.pick("T", "X", "B")}{self.r.randint(1, 9)}'), '')

    def point(self):
        return self.r.uniform(42, 54), self.r.uniform(51, 86)

    # money
    def card(self):
        body = self.pick('400000', '440043', '510000', '220000', '555555') + self.digits(9)
        digits = body + luhn(body)
        return V('payment.card', digits if self.r.random() < .7 else ' '.join(digits[i:i + 4] for i in range(0, 16, 4)), self.pick('', '{{card}}'))

    def open_card(self, key='sku'):
        body = self.pick('400000', '440043', '510000') + self.digits(9)
        digits = body + luhn(body)
        return self.pick(V('payment.card', digits, self.wrong(digits)), V('payment.card', digits, digits, tk=key))

    def humo(self):
        body = '98600000' + self.digits(7)
        return V('payment.card', body + luhn(body), '')

    def iban_text(self):
        tail = '000' + self.pick('C', 'A', 'K') + self.digits(12)
        number = int(''.join(str(int(c, 36)) for c in tail + 'KZ00'))
        return f'KZ{98 - number % 97:02}{tail}'

    def iban(self):
        text = self.iban_text()
        return V('payment.iban', self.pick(text, text, ' '.join(text[i:i + 4] for i in range(0, 20, 4)), text.lower()), self.pick('', '{{iban}}', '-'))

    def wallet(self):
        return V('payment.wallet', self.pick('bc1q' + ''.join(self.r.choice('023456789acdefghjklmnpqrstuvwxyz') for _ in range(38)), '0x' + ''.join(self.r.choice('0123456789abcdef') for _ in range(40)),
                                             'T' + ''.join(self.r.choice('123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz') for _ in range(33))), '')

    # cars and machines
    def plate(self, tk='article'):
        text = self.plate_text()
        return self.pick(V('vehicle', text, ''), V('vehicle', text, text, tk=tk))

    def plate_text(self):
        letters = ''.join(self.r.choice(PLATE_LETTERS) for _ in range(3))
        region = f'{self.r.randint(1, 20):02}'
        ru = self.r.choice(RU_PLATE_LETTERS) + '000' + ''.join(self.r.choice(RU_PLATE_LETTERS) for _ in range(2))
        return self.pick(f'000{letters}{region}', f'000 {letters} {region}', f'000{letters.lower()}{region}', f'A000{letters[:2]}', f'000{letters[:2]}{region}', f'{ru}{self.pick(77, 178, 54)}')

    def vin(self):
        return V('vehicle', 'XTA' + self.digits(14).replace('0', '1'), '')

    def uuid(self):
        h = ''.join(self.r.choice('0123456789abcdef') for _ in range(32))
        return f'{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}'

    def device(self, tk='request_id'):
        text = self.uuid()
        text = text.upper() if self.maybe(.3) else text
        return self.pick(V('online.device_id', text, text, tk=tk), V('online.device_id', text, self.pick('', '00000000-0000-0000-0000-000000000000')))

    def imei(self):
        body = '00' + self.digits(12)
        return V('online.device_id', body + luhn(body), '')

    def mac(self):
        return V('online.device_id', ':'.join(f'{self.r.randrange(256):02x}' for _ in range(6)), '')

    def ip(self, tk='app_version'):
        text = self.pick(f'198.51.100.{self.r.randint(1, 254)}', f'203.0.113.{self.r.randint(1, 254)}', f'2001:db8::{self.r.randint(1, 9999)}')
        return self.pick(V('online.ip', text, ''), V('online.ip', text, '4.12.7.1', tk=tk))

    def hashed(self, code, tk='checksum'):
        text = self.pick(hashlib.sha256, hashlib.md5)((self.latin[0] + self.digits(4)).encode()).hexdigest()
        return self.pick(V(code, text, text, tk=tk), V(code, text, ''))

    def handle(self):
        return (self.latin[1] + '_' + self.latin[0]).lower()

    # health
    def icd(self, tk='sku'):
        text = self.r.choice(ICD)
        return self.pick(V('health', text, ''), V('health', text, text, tk=tk))

    def disease(self):
        text = self.r.choice(DISEASE)
        return V('health', self.pick(text, f'{self.r.choice(ICD)} {text}'), self.pick('', '-', 'нет'))
