"""What a sample hides: ten kinds of personal data, each with a neutral twin of the same look.

No value belongs to a living person: IINs have the century digit of those born before 1900, birth dates lie before 1905, cards are the
test numbers of processors, phones and accounts are all zeros but for the end.
"""
import collections

# `keyed` is a name that says what the value is; a kind with `is_evident` is recognised under any name as well.
# `needles` are what the oracles look for; `form` says which transforms suit the value.
Marker = collections.namedtuple("Marker", "kind form keyed value needles is_evident")
Twin = collections.namedtuple("Twin", "key value")

NEUTRAL_KEYS = ["note", "comment", "text", "memo", "remark"]
CARDS = ["4111111111111111", "4012888888881881", "5555555555554444", "5105105105105100", "2223003122003222", "6011111111111117"]
GIVEN = ["Айгерим", "Нұрсұлтан", "Aigerim", "Yerlan", "Сергей", "Әлия", "Gulnara", "Тимур"]
FAMILY = ["Иванова", "Сәрсенбаев", "Ivanova", "Akhmetov", "Оспанова", "Қайратұлы", "Petrov", "Ким"]
WORDS = ["Delivery", "Packing list", "Готов к отправке", "Тапсырыс жеткізілді", "In stock", "Склад", "Blue paint", "Invoice"]


def iin(rng):
    while True:
        first = f"{rng.randint(50, 99):02}{rng.randint(1, 12):02}{rng.randint(1, 28):02}{rng.choice('12')}{rng.randint(0, 9999):04}"
        for shift in (0, 2):
            check = sum(int(it) * ((at + shift) % 11 + 1) for at, it in enumerate(first)) % 11
            if check < 10:
                break
        else:
            continue
        return first + str(check)


def luhn_breaker(number):
    """The same number with another last digit, which no longer checks."""
    return number[:-1] + str((int(number[-1]) + 1) % 10)


def iban(account):
    check = 98 - int(f"{account}203500") % 97
    return f"KZ{check:02}{account}"


def iban_account(rng):
    # All digits, so that the number is its own base for the check: KZ is 2035.
    return f"125{rng.randint(0, 99999):013}"


def snils(rng):
    number = f"{rng.randint(2, 9)}{rng.randint(0, 99999999):08}"
    check = sum(int(it) * (9 - at) for at, it in enumerate(number)) % 101 % 100
    return number + f"{check:02}"


def make(kind, rng):
    """A marker and its twin."""
    return MAKERS[kind](rng)


def make_iin(rng):
    value = iin(rng)
    # Not an IIN by its check digit, and no INN, BIN or date-less number either: the month is none.
    other = value[:2] + "77" + value[4:-1] + str((int(value[-1]) + 5) % 10)
    return Marker("iin", "digits", rng.choice(["iin", "client_iin", "ИИН"]), value, [value], True), other


def make_card(rng):
    value = rng.choice(CARDS)
    return Marker("card", "digits", rng.choice(["card_number", "pan"]), value, [value], True), luhn_breaker(value)


def make_iban(rng):
    value = iban(iban_account(rng))
    check = (int(value[2:4]) + 1) % 97
    return Marker("iban", "iban", rng.choice(["iban", "account_iban"]), value, [value.lower()], True), f"KZ{check:02}{value[4:]}"


def make_phone(rng):
    value = f"+7701000000{rng.randint(0, 9)}"
    return Marker("phone", "phone", rng.choice(["phone", "mobile", "Телефон"]), value, [value[2:]], True), f"-{rng.randint(100, 999)}00.00"


def make_email(rng):
    local = rng.choice(["a.ivanova", "yerlan", "gulnara.k", "timur_s", "o.kim"])
    domain = rng.choice(["example.com", "example.org", "mail.example.net"])
    role = rng.choice(["info", "support", "noreply", "sales"])
    return Marker("email", "email", rng.choice(["email", "contact_email", "e-mail"]), f"{local}@{domain}", [f"{local}@{domain}"], True), f"{role}@{domain}"


def make_name(rng):
    key = rng.choice(["first_name", "last_name", "full_name", "customer_name", "фамилия", "fio"])
    given, family = rng.choice(GIVEN), rng.choice(FAMILY)
    value = {"first_name": given, "last_name": family, "фамилия": family}.get(key, f"{family} {given}")
    return Marker("name", "words", key, value, [value.casefold()], False), rng.choice(WORDS)


def make_birth_date(rng):
    year, month, day = rng.randint(1899, 1904), rng.randint(1, 12), rng.randint(1, 28)
    value = rng.choice([f"{year}-{month:02}-{day:02}", f"{day:02}.{month:02}.{year}"])
    key = rng.choice(["birth_date", "date_of_birth", "birthday", "dob", "дата_рождения"])
    return Marker("birth_date", "date", key, value, [value], False), f"2026-{month:02}-{day:02}"


def make_document(rng):
    number = f"{rng.randint(0, 99999):08}"
    value = rng.choice([f"N{number}", f"0{number}"])
    key = rng.choice(["passport_number", "passport", "id_card_number", "passport_no"])
    return Marker("document", "document", key, value, [value.lower()], False), f"PK-{number[:4]}"


def make_state_number(rng):
    if rng.random() < 0.5:
        value = snils(rng)
        return Marker("state_number", "keyed-digits", "snils", value, [value], False), value[:-1] + str((int(value[-1]) + 1) % 10)
    # A PINFL: sex and century 1 or 2 (born before 1900), date, district, number, check by 7-3-1.
    first = f"{rng.choice('12')}{rng.randint(1, 28):02}{rng.randint(1, 12):02}{rng.randint(50, 99)}{rng.randint(100, 999)}{rng.randint(1, 999):03}"
    value = first + str(sum(int(it) * (7, 3, 1)[at % 3] for at, it in enumerate(first)) % 10)
    return Marker("state_number", "keyed-digits", "pinfl", value, [value], False), "9" + value[1:-1] + str((int(value[-1]) + 3) % 10)


def make_coordinates(rng):
    value = f"43.{rng.randint(100000, 999999)},76.{rng.randint(100000, 999999)}"
    return Marker("coordinates", "words", rng.choice(["coordinates", "geo_location", "latlng"]), value, [value], False), "43 x 76 mm"


MAKERS = {
    "iin": make_iin, "card": make_card, "iban": make_iban, "phone": make_phone, "email": make_email, "name": make_name,
    "birth_date": make_birth_date, "document": make_document, "state_number": make_state_number, "coordinates": make_coordinates,
}
KINDS = list(MAKERS)
