"""Requests in the style of the services that companies in Kazakhstan and its neighbours send to.

Each function makes one body from a `Maker`: host, path, format, and a tree whose leaves are plain (nobody's) or `V`, `T`, `K`.
Field names are those of the services' public interfaces; what varies is what callers vary: which fields are there, and how values
are written.
"""
from values import DISEASE, ICD, ORGS, K, T, V

SERVICES = []


def service(name, country):
    def add(make):
        SERVICES.append((name, country, make))
        return make
    return add


def some(m, **fields):
    """Those of the fields that this caller fills in; at least one."""
    kept = {k: v for k, v in fields.items() if m.maybe(.75)}
    return kept or dict([next(iter(fields.items()))])


def items(m):
    return [{'name': m.pick('Чай листовой 250 г', 'Кофе молотый', 'Шоколад «Казахстан»', 'Услуга доставки', 'Сүт 2,5%'), 'quantity': m.r.randint(1, 5), 'price': m.r.randint(100, 90000),
             'sum': m.r.randint(100, 90000), 'vat': 12} for _ in range(m.r.randint(1, 3))]


@service('kaspi', 'KZ')
def kaspi(m):
    return 'kaspi.example.kz', '/api/v2/orders', 'json', {'data': {'type': 'orders', 'id': m.digits(9), 'attributes': {
        'code': m.digits(9), 'totalPrice': m.r.randint(1000, 900000), 'paymentMode': 'PAY_WITH_CREDIT', 'deliveryMode': 'DELIVERY_LOCAL', 'creationDate': 1700000000000 + m.r.randint(0, 10 ** 9),
        'deliveryAddress': {**some(m, streetName=V('address', m.street(), ''), town=m.city()), 'latitude': V('location', round(m.point()[0], 6), 0), 'longitude': V('location', round(m.point()[1], 6), 0)},
        'customer': {'name': V('name.full', m.words[1], ''), 'cellPhone': m.phone(), 'firstName': m.given(), 'lastName': m.surname()}}}}


@service('kaspi-pay', 'KZ')
def kaspi_pay(m):
    return 'kaspi.example.kz', '/remote/create', 'json', {'Amount': m.r.randint(100, 90000), 'PhoneNumber': m.phone(), 'Comment': f'Заказ {m.digits(6)}', 'DeviceToken': m.device('RequestId'), 'OrganizationBin': m.bin_digits()}


@service('halyk-epay', 'KZ')
def halyk(m):
    return 'epay.example.kz', '/payment/cryptopay', 'json', {'amount': m.r.randint(100, 90000), 'currency': 'KZT', 'invoiceId': m.digits(12), 'terminalId': m.uuid(), 'description': m.pick('Оплата заказа', 'Тапсырысты төлеу'),
        **some(m, name=m.holder(), phone=m.phone(), email=m.email(), accountId=V('online.account_id', m.uuid(), '')), 'cardSave': m.maybe(), 'data': K({'statement': {'name': m.full(''), 'iin': m.iin()}})}


@service('freedompay', 'KZ')
def freedompay(m):
    kind = m.pick('form', 'form', 'multipart', 'xml')
    fields = {'pg_merchant_id': m.digits(6), 'pg_order_id': m.digits(8), 'pg_amount': m.r.randint(100, 90000), 'pg_description': 'Описание заказа', 'pg_salt': m.digits(10),
        **some(m, pg_user_phone=m.phone(), pg_user_contact_email=m.email(), pg_user_ip=m.ip('pg_version'), pg_card_name=m.holder(), pg_card_number=m.card()), 'pg_testing_mode': 1}
    return 'freedompay.example.kz', '/init_payment.php', kind, {'request': fields} if kind == 'xml' else fields


@service('cloudpayments', 'RU')
def cloudpayments(m):
    return 'cloudpayments.example.ru', '/payments/cards/charge', 'json', {'Amount': m.r.randint(10, 9000), 'Currency': m.pick('RUB', 'KZT'), 'InvoiceId': m.digits(7), 'IpAddress': m.ip('Version'), 'Description': 'Оплата товаров',
        'Name': m.holder(), 'CardCryptogramPacket': V('payment.token', '01492500008719030128SMfLeYdKp5dSQVIiO5l6ZCJiPdel4uDjdFTTz1UnXY' + m.digits(12), ''),
        'Payer': some(m, FirstName=m.given(), LastName=m.surname(), MiddleName=m.patronymic(), Birth=m.birth('Created'), Street=V('address', m.street(), ''), City=m.city(), Phone=m.phone(), Postcode=m.postcode()),
        'JsonData': K({'CloudPayments': {'CustomerReceipt': {'Items': items(m), 'taxationSystem': 1, 'email': m.email(), 'phone': m.phone(), 'customerInfo': m.full(), 'customerInn': m.inn()}}})}


@service('yookassa', 'RU')
def yookassa(m):
    return 'yookassa.example.ru', '/v3/payments', 'json', {'amount': {'value': '1000.00', 'currency': 'RUB'}, 'capture': True, 'description': f'Заказ №{m.digits(5)}', 'receipt': {'customer': some(m, full_name=m.full(), inn=m.inn(), email=m.email(), phone=m.phone(True)), 'items': items(m), 'tax_system_code': 1},
        'payment_method_data': {'type': 'bank_card', 'card': {'number': m.card(), 'expiry_year': '2030', 'expiry_month': '12', 'cardholder': m.holder(), 'csc': V('payment.card_code', m.digits(3), '')}}}


@service('atol', 'RU')
def atol(m):
    client = some(m, email=m.email(), phone=m.phone(), name=m.full(), inn=m.inn(), birthdate=m.birth('issued_at'), document_data=m.ru_passport(), address=m.address())
    return 'online.example.ru', '/possystem/v5/sell', 'json', {'external_id': m.uuid(), 'receipt': {'client': client, 'company': {'email': 'buh@example.ru', 'sno': 'osn', 'inn': m.company_inn(), 'payment_address': 'https://example.ru'}, 'items': items(m), 'payments': [{'type': 1, 'sum': 100}], 'total': 100}, 'timestamp': '01.02.2026 13:45:00'}


@service('mobizon', 'KZ')
def mobizon(m):
    text = m.pick(T('Құрметті {}, сіздің тапсырысыңыз дайын.', m.full(), twin='Құрметті клиент, сіздің тапсырысыңыз дайын.'), T('Ваш код 4821. Никому не сообщайте.', twin='Ваш код 4821. Никому не сообщайте.'))
    return 'mobizon.example.kz', '/service/message/sendsmsmessage', 'form', {'recipient': V('phone', m.phone_text(), m.pick('', '{{phone}}')), 'text': text, 'from': 'EXAMPLE', 'params[name]': f'Campaign {m.digits(3)}'}


@service('smsc', 'KZ')
def smsc(m):
    return 'smsc.example.kz', '/sys/send.php', m.pick('form', 'multipart'), {'login': 'example', 'psw': 'secret-' + m.digits(4), 'phones': V('phone', ','.join(m.phone_text().replace(' ', '') for _ in range(m.r.randint(1, 3))), ''), 'mes': m.pick('Заказ готов', 'Тапсырыс дайын'), 'charset': 'utf-8', 'fmt': 3}


@service('sms-soap', 'KZ')
def sms_soap(m):
    return 'isms.example.kz', '/api/xml', 'xml', {'package': {'@login': 'example', 'message': {'default': {'@sender': 'KazInfo'}, 'msg': [{'@recipient': V('phone', '7' + m.phone_text()[-12:].translate({ord(c): None for c in ' ()-+'})[-10:], ''), '#': T('{}, счёт оплачен', m.full(), twin='Счёт оплачен')} for _ in range(m.r.randint(1, 3))]}}}


@service('unisender', 'RU')
def unisender(m):
    return 'unisender.example.ru', '/ru/api/subscribe', 'form', {'format': 'json', 'api_key': 'k' + m.digits(20), 'list_ids': m.digits(6), 'fields[email]': m.email(), **some(m, **{'fields[phone]': m.phone(), 'fields[Name]': m.full()}), 'tags': 'spring,sale', 'double_optin': 3}


@service('unisender-import', 'RU')
def unisender_import(m):
    return 'unisender.example.ru', '/ru/api/importContacts', 'form', {'field_names[0]': 'email', 'field_names[1]': 'Name', 'field_names[2]': 'phone', 'data[0][0]': m.email(), 'data[0][1]': m.full(''), 'data[0][2]': m.open_phone()}


@service('sendpulse', 'RU')
def sendpulse(m):
    return 'sendpulse.example.com', '/addressbooks/1/emails', 'json', {'emails': [{'email': m.email(), 'variables': some(m, Имя=m.given(), Телефон=m.phone(), Фамилия=m.surname(), **{'дата рождения': m.birth('дата заказа')})} for _ in range(m.r.randint(1, 3))]}


@service('sendpulse-smtp', 'RU')
def sendpulse_smtp(m):
    return 'sendpulse.example.com', '/smtp/emails', 'json', {'email': {'subject': 'Чек', 'text': T('Здравствуйте, {}! Ваш заказ оплачен, чек во вложении.', m.full(), twin='Здравствуйте! Ваш заказ оплачен, чек во вложении.'), 'from': {'name': 'Магазин', 'email': 'info@example.kz'}, 'to': [{'name': m.full(), 'email': m.email()}]}}


@service('bitrix24', 'RU')
def bitrix24(m):
    fields = {'TITLE': 'Заявка с сайта', 'STATUS_ID': 'NEW', 'OPENED': 'Y', 'NAME': m.given(), 'LAST_NAME': m.surname(), **some(m, SECOND_NAME=m.patronymic(), BIRTHDATE=m.birth('DATE_CREATE'), ADDRESS=m.address(), ADDRESS_CITY=m.city(), UF_CRM_IIN=m.iin()),
              'PHONE': [{'VALUE': m.phone(), 'VALUE_TYPE': 'WORK'}], 'EMAIL': [{'VALUE': m.email(), 'VALUE_TYPE': 'HOME'}], 'IM': [{'VALUE': V('messenger', 'https://t.me/' + m.handle(), ''), 'VALUE_TYPE': 'TELEGRAM'}]}
    return 'b24.example.kz', '/rest/1/crm.lead.add.json', m.pick('json', 'form'), {'fields': fields, 'params': {'REGISTER_SONET_EVENT': 'Y'}}


@service('amocrm', 'RU')
def amocrm(m):
    values = [{'field_code': 'PHONE', 'values': [{'value': m.phone(), 'enum_code': 'WORK'}]}, {'field_code': 'EMAIL', 'values': [{'value': m.email(), 'enum_code': 'WORK'}]}, {'field_name': 'ИИН', 'values': [{'value': m.iin()}]}, {'field_name': 'Адрес', 'values': [{'value': m.address()}]}]
    return 'amo.example.ru', '/api/v4/leads/complex', 'json', [{'name': f'Сделка {m.digits(4)}', 'price': m.r.randint(100, 90000), '_embedded': {'contacts': [{'first_name': m.given(), 'last_name': m.surname(), 'custom_fields_values': [v for v in values if m.maybe(.8)]}], 'tags': [{'name': 'сайт'}]}}]


@service('1c-commerceml', 'KZ')
def commerceml(m):
    return '1c.example.kz', '/exchange', 'xml', {'КоммерческаяИнформация': {'@ВерсияСхемы': '2.05', '@ДатаФормирования': '2026-03-01', 'Документ': {'Ид': m.digits(5), 'Номер': m.digits(5), 'Дата': '2026-03-01', 'ХозОперация': 'Заказ товара', 'Роль': 'Продавец', 'Валюта': 'KZT', 'Сумма': m.digits(5),
        'Контрагенты': {'Контрагент': {'Ид': V('online.account_id', m.digits(4), '', ), 'Наименование': m.full(), 'Роль': 'Покупатель', 'ПолноеНаименование': m.full(), 'Имя': m.given(), 'Фамилия': m.surname(), 'ИНН': m.iin(), 'АдресРегистрации': {'Представление': m.address()}, 'Контакты': {'Контакт': [{'Тип': 'Телефон рабочий', 'Значение': m.phone()}, {'Тип': 'Почта', 'Значение': m.email()}]}}}, 'Товары': {'Товар': {'Артикул': m.digits(8), 'Наименование': 'Чай', 'Количество': 2}}}}}


@service('1c-zup', 'KZ')
def zup(m):
    person = {'ТабельныйНомер': V('online.account_id', '0000-' + m.digits(5), ''), 'ФИО': m.full(''), 'ДатаРождения': m.birth('ДатаПриема'), 'ИИН': m.iin(), **some(m, Пол=m.gender(), Гражданство=m.citizen(), Национальность=m.ethnicity(), НомерУдостоверения=m.id_card(), КемВыдан=m.issuer(), ДатаВыдачи=m.document_date(), АдресПроживания=m.address(), Оклад=V('employment', m.r.randint(150, 900) * 1000, ''), Должность=V('employment', m.pick('Бухгалтер', 'Кассир', 'Жүргізуші'), ''), НомерСчета=m.iban(), СемейноеПоложение=V('family', m.pick('женат', 'замужем', 'үйленген'), ''))}
    return '1c.example.kz', '/zup/hs/employees', m.pick('json', 'xml'), {'Сотрудники': {'Организация': m.pick(*ORGS), 'БИН': m.bin_digits(), 'Сотрудник': [person]}}


@service('1c-russia', 'RU')
def zup_russia(m):
    return '1c.example.ru', '/zup/hs/efs', 'xml', {'ЕФС-1': {'Страхователь': {'РегНомер': '087-' + m.digits(3) + '-' + m.digits(6), 'ИНН': m.company_inn(), 'КПП': '770101001'}, 'ЗЛ': {'ФИО': {'Фамилия': m.surname(), 'Имя': m.given(), 'Отчество': m.patronymic()}, 'СНИЛС': m.snils(), 'ИНН': m.inn(), 'ДатаРождения': m.birth('ДатаСоздания'), 'Паспорт': m.ru_passport()}}}


@service('kazpost', 'KZ')
def kazpost(m):
    return 'pochta.example.kz', '/services/send', m.pick('xml', 'json'), {'GetAddrLetterRequest': {'AddrInfo': {'RcpnName': m.full(''), 'RcpnPhone': m.phone(), 'RcpnEmail': m.email(), 'RcpnCountry': 'KZ', 'RcpnIndex': m.postcode(), 'RcpnCity': m.city(), 'RcpnStreet': V('address', m.street(), ''), 'SndrBIN': m.bin_digits()}, 'OrderNum': m.digits(10), 'Weight': '1.2'}}


@service('cdek', 'RU')
def cdek(m):
    return 'cdek.example.ru', '/v2/orders', 'json', {'type': 1, 'number': m.digits(12), 'tariff_code': 136, 'recipient': {'name': m.full(), 'phones': [{'number': m.phone()}], **some(m, email=m.email(), passport_series=V('id_document', '98' + m.digits(2), ''), passport_number=V('id_document', m.digits(6), ''), passport_date_of_issue=m.document_date(), passport_organization=V('id_document', 'ОВД района Тест', ''), passport_date_of_birth=m.birth('date_invoice'), tin=m.inn())},
        'to_location': {'code': 44, 'city': m.city(), 'address': V('address', m.street(), '')}, 'packages': [{'number': m.digits(5), 'weight': 1000, 'items': [{'name': 'Чай', 'ware_key': m.digits(8), 'cost': 100}]}]}


@service('damumed', 'KZ')
def damumed(m):
    patient = {'iin': m.iin(), 'lastName': m.surname(), 'firstName': m.given(), 'middleName': m.patronymic(), 'birthDate': m.birth('createDate'), **some(m, sex=m.gender(), nationality=m.ethnicity(), phone=m.phone(), address=m.address(), bloodType=V('health', m.pick('A(II) Rh+', '0(I) Rh-', 'B(III)'), ''), disabilityGroup=V('health', m.pick('2 группа', 'III топ'), ''))}
    return 'med.example.kz', '/api/v1/visits', 'json', {'patient': patient, 'visit': {'date': '2026-03-02T10:00:00', 'diagnosis': {'code': m.icd('sku'), 'name': m.disease()}, **some(m, complaints=V('health', m.pick('головная боль, слабость', 'бас ауруы, әлсіздік', 'кашель, одышка'), ''), anamnesis=V('health', 'болеет 3 года, лечился амбулаторно', ''), prescriptions=V('health', m.pick('Метформин 500 мг 2 р/д', 'Салбутамол ингаляции'), '')), 'doctor': {'fio': m.full('')}}}


@service('lab', 'KZ')
def lab(m):
    return 'lab.example.kz', '/orders', m.pick('json', 'xml'), {'order': {'number': m.digits(9), 'barcode': m.digits(13), 'пациент': {'ФИО': m.full(''), 'ИИН': m.iin(), 'датаРождения': m.birth('датаЗаказа'), 'телефон': m.phone()}, 'тесты': {'тест': [{'код': m.digits(4), 'наименование': m.pick('Глюкоза', 'HbA1c', 'ПЦР'), 'результат_анализа': V('health', m.pick('положительный', '7.8 ммоль/л', 'теріс'), '')}]}, 'МКБ': m.icd('артикул')}}


@service('egov', 'KZ')
def egov(m):
    person = {'iin': m.iin(), 'surname': m.surname(), 'name': V('name.given', m.words[1], ''), 'patronymic': m.patronymic(), 'birthDate': m.birth('requestDate'), 'nationality': {'code': '005', 'nameRu': m.ethnicity()}, 'citizenship': {'code': V('citizenship', '398', ''), 'nameRu': V('citizenship', 'КАЗАХСТАН', '')},
              'documents': {'document': {'number': m.id_card(), 'beginDate': m.document_date(), 'issueOrganization': {'nameRu': m.issuer()}}}, 'regAddress': {'street': V('address', m.street(), ''), 'building': V('address', str(m.r.randint(1, 99)), '')}}
    return 'shep.example.kz', '/bip-sync-wss-gost', m.pick('xml', 'json'), {'soapenv:Envelope': {'@xmlns:soapenv': 'http://schemas.xmlsoap.org/soap/envelope/', 'soapenv:Body': {'SendMessage': {'request': {'requestInfo': {'messageId': m.uuid(), 'serviceId': 'GBDFL'}, 'requestData': {'data': {'person': person}}}}}}}


@service('egov-kk', 'KZ')
def egov_kazakh(m):
    keys = m.pick(('тегі', 'аты', 'әкесінің аты', 'ЖСН', 'туған күні', 'жынысы', 'ұлты', 'азаматтығы', 'мекенжайы', 'ұялы телефон', 'электрондық пошта', 'жеке куәлік', 'өтініш күні'),
                  ('tegi', 'aty', 'akesinin_aty', 'zhsn', 'tugan_kuni', 'zhynysy', 'ulty', 'azamattygy', 'mekenzhai', 'uialy_telefon', 'elektrondyq_poshta', 'jeke_kualik', 'otinish_kuni'))
    values = [m.surname(), m.given(), m.patronymic(), m.iin(), m.birth(keys[12]), m.gender(), m.ethnicity(), m.citizen(), m.address(), m.phone(), m.email(), m.id_card()]
    return 'egov.example.kz', '/forms/submit', m.pick('json', 'form', 'multipart'), {k: v for k, v in zip(keys, values) if m.maybe(.8)} | {'форма' if keys[0] == 'тегі' else 'forma': 'P-12'}


@service('mindbox', 'RU')
def mindbox(m):
    return 'mindbox.example.ru', '/v3/operations/async', 'json', {'customer': {**some(m, email=m.email(), mobilePhone=m.phone(), lastName=m.surname(), firstName=m.given(), birthDate=m.birth('registrationDate'), sex=m.gender()), 'ids': {'websiteID': V('online.account_id', m.digits(7), '')}, 'discountCard': {'ids': {'number': V('loyalty', '77' + m.digits(11), '')}}}, 'executionDateTimeUtc': '2026-01-01T00:00:00Z', 'deviceUUID': m.device('operationId')}


@service('yandex-taxi', 'RU')
def yandex_taxi(m):
    lon, lat = m.point()[1], m.point()[0]
    return 'taxi.example.ru', '/b2b/cargo/integration/v2/claims/create', 'json', {'items': [{'title': 'Коробка', 'quantity': 1, 'cost_value': '100'}], 'route_points': [{'point_id': 1, 'contact': {'name': m.full(), 'phone': m.phone(), 'email': m.email()}, 'address': {'fullname': m.address(), 'coordinates': [V('location', round(lon, 6), 0), V('location', round(lat, 6), 0)], 'sflat': V('address', str(m.r.randint(1, 99)), ''), 'door_code': V('address', m.digits(3) + '#', '')}}], 'performer_info': {'car_number': m.plate('article'), 'courier_name': m.full('')}}


@service('yandex-eda', 'RU')
def yandex_eda(m):
    lat, lon = m.point()
    return 'eda.example.ru', '/order', 'json', {'eatsId': m.digits(6) + '-' + m.digits(6), 'deliveryInfo': {'clientName': m.given(), 'phoneNumber': m.phone(), 'deliveryAddress': {'full': m.address(), 'latitude': V('location', f'{lat:.6f}', ''), 'longitude': V('location', f'{lon:.6f}', '')}}, 'paymentInfo': {'itemsCost': 100}, 'items': items(m), 'comment': m.pick('Без лука', 'Пиязсыз')}


@service('insurance', 'KZ')
def insurance(m):
    return 'esbd.example.kz', '/ogpo', m.pick('json', 'xml'), {'policy': {'number': m.digits(11), 'insured': {'iin': m.iin(), 'fio': m.full(''), 'birthDate': m.birth('signDate'), 'document': {'number': m.id_card(), 'issueDate': m.document_date()}, 'drivingLicense': {'number': m.licence()}, 'isPensioner': 0}, 'vehicle': {'plateNumber': m.plate('article'), 'vin': m.vin(), 'year': 2015}, 'premium': 21000}}


@service('school', 'KZ')
def school(m):
    pupil = {'тегі': m.surname(), 'аты': m.given(), 'ЖСН': m.iin(), 'туған күні': m.birth('жазылған күні'), **some(m, жынысы=m.gender(), мекенжайы=m.address(), **{'денсаулық жағдайы': V('health', m.pick('астма', 'көру қабілеті нашар', '3 топ'), '')})}
    return 'kundelik.example.kz', '/v1/pupils', 'json', {'сынып': '7 Б', 'оқушы': pupil, 'ата-анасы': {'аты-жөні': m.full(''), 'телефон': m.phone()}}


@service('taxi', 'KZ')
def taxi(m):
    lat, lon = m.point()
    return 'taxi.example.kz', '/rides', 'json', {'ride_id': m.uuid(), 'driver': {'fio': m.full(''), 'prava': m.licence(), 'gosnomer': m.plate('article')}, 'passenger': {'phone': m.phone(), 'name': m.given()}, 'pickup': m.pick({'lat': V('location', lat, 0), 'lon': V('location', lon, 0)}, {'point': V('location', f'{lat:.5f},{lon:.5f}', '')}, {'geo': V('location', f'geo:{lat:.5f},{lon:.5f}', '')}), 'fare': 1500}


@service('loan', 'KZ')
def loan(m):
    return 'bank.example.kz', '/applications', m.pick('json', 'form'), {'application': {'iin': m.iin(), 'fio': m.full(''), 'udv_number': m.id_card(), 'udv_issued_by': m.issuer(), 'mobile_phone': m.phone(), 'monthly_income': V('employment', m.r.randint(100, 900) * 1000, ''), 'iban': m.iban(), **some(m, workplace=V('employment', 'ТОО «Пример»', ''), marital_status=V('family', m.pick('married', 'холост'), ''), reg_address=m.address(), contact_person_fio=m.full(''), contact_person_phone=m.phone()), 'amount': 500000, 'term_months': 24}}


@service('csv-clients', 'KZ')
def csv_clients(m):
    head = m.pick(['ФИО', 'Телефон', 'E-mail', 'ИИН', 'Адрес', 'Сумма'], ['Аты-жөні', 'Телефон', 'Пошта', 'ЖСН', 'Мекенжай', 'Сома'], ['fio', 'phone', 'email', 'iin', 'address', 'amount'])
    return 'crm.example.kz', '/import', 'csv', [head] + [[m.full(''), m.phone(), m.email(), m.iin(), V('address', m.street(), ''), m.digits(4)] for _ in range(m.r.randint(1, 4))]


@service('csv-staff', 'RU')
def csv_staff(m):
    head = ['Табельный номер', 'Фамилия', 'Имя', 'Отчество', 'Дата рождения', 'СНИЛС', 'Паспорт', 'Оклад']
    return 'hr.example.ru', '/upload', 'csv', [head] + [[V('online.account_id', m.digits(5), ''), m.surname(), m.given(), m.patronymic(), V('birth_date', f'{m.day:02}.{m.month:02}.{m.year}', ''), m.snils(), m.ru_passport(), V('employment', m.digits(5), '')] for _ in range(m.r.randint(1, 3))]


@service('csv-patients', 'KZ')
def csv_patients(m):
    head = ['Пациент', 'ИИН', 'Диагноз', 'МКБ-10', 'Поликлиника']
    return 'med.example.kz', '/export', 'csv', [head] + [[m.full(''), m.iin(), m.disease(), V('health', m.r.choice(ICD), ''), 'Поликлиника №' + m.digits(1)] for _ in range(m.r.randint(1, 3))]


@service('ads', 'US')
def ads(m):
    data = some(m, em=m.hashed('email'), ph=m.hashed('phone'), external_id=V('online.account_id', m.digits(9), ''), client_ip_address=m.ip('version'), fbp=V('online.cookie_id', f'fb.1.{m.digits(13)}.{m.digits(10)}', ''), madid=m.device('batch_id'), fn=m.hashed('name'), db=V('birth_date', f'{m.year}{m.month:02}{m.day:02}', ''))
    return 'graph.example.com', '/v19.0/1/events', 'json', {'data': [{'event_name': 'Purchase', 'event_time': 1700000000, 'action_source': 'website', 'user_data': data, 'custom_data': {'currency': 'KZT', 'value': 100}}]}


@service('vk-ads', 'RU')
def vk_ads(m):
    return 'vk.example.ru', '/api/v2/remarketing', 'json', {'type': 'positive', 'schema': ['hashed_email', 'hashed_phone', 'gaid'], 'rows': [{'hashed_email': m.hashed('email', 'etag'), 'hashed_phone': m.hashed('phone', 'sha256'), 'gaid': m.device('trace_id')} for _ in range(m.r.randint(1, 3))]}


@service('appmetrica', 'RU')
def appmetrica(m):
    return 'appmetrica.example.ru', '/logs/v1/import/events', m.pick('json', 'form'), {'post_api_key': m.uuid(), 'application_id': m.digits(6), 'event_name': 'purchase', 'event_timestamp': 1700000000, **some(m, ios_ifa=m.device('event_id'), google_aid=m.device('event_id2'), profile_id=V('online.account_id', m.uuid(), ''), device_ipv6=V('online.ip', '2001:db8::17', ''), imei=m.imei(), mac_address=m.mac()), 'os_name': 'android', 'app_version_name': '4.12.7'}


@service('amplitude', 'US')
def amplitude(m):
    lat, lon = m.point()
    return 'amplitude.example.com', '/2/httpapi', 'json', {'api_key': 'k' + m.digits(12), 'events': [{'event_type': 'open', 'device_id': m.device('insert_id'), 'idfa': m.device('uuid'), 'ip': m.ip('app_version'), 'location_lat': V('location', lat, 0), 'location_lng': V('location', lon, 0), 'user_properties': some(m, gender=m.gender(), birthday=m.birth('first_seen'), instagram=V('social', '@' + m.handle(), ''))}]}


@service('payme', 'UZ')
def payme(m):
    return 'payme.example.uz', '/api', 'json', {'jsonrpc': '2.0', 'id': 1, 'method': 'cards.create', 'params': {'card': {'number': m.humo(), 'expire': '0330'}, 'account': {'phone': m.phone()}, 'save': True}}


@service('myid', 'UZ')
def myid(m):
    return 'myid.example.uz', '/api/v1/request', m.pick('json', 'form'), {'pass_data': m.uz_passport(), 'pinfl': m.pinfl(), 'birth_date': m.birth('request_date'), **some(m, first_name=m.given(), last_name=m.surname(), nationality=m.ethnicity(), permanent_address=m.address()), 'client_id': V('online.account_id', m.uuid(), '')}


@service('uz-soliq', 'UZ')
def soliq(m):
    return 'soliq.example.uz', '/efaktura', m.pick('json', 'xml'), {'Faktura': {'FakturaNo': m.digits(5), 'SellerTin': '30' + m.digits(7), 'BuyerJSHSHIR': m.pinfl(), 'BuyerFio': m.full(''), 'BuyerPassport': m.uz_passport(), 'Products': items(m)}}


@service('tunduk', 'KG')
def tunduk(m):
    return 'tunduk.example.kg', '/ws', m.pick('xml', 'json'), {'request': {'pin': m.kg_pin(), 'surname': m.surname(), 'name': V('name.given', m.words[1], ''), 'patronymic': m.patronymic(), 'passportSeries': V('id_document', 'ID', ''), 'passportNumber': V('id_document', '000' + m.digits(4), ''), 'birthDate': m.birth('responseDate')}}


@service('aviata', 'KZ')
def aviata(m):
    return 'avia.example.kz', '/book', 'json', {'booking': m.digits(8), 'passengers': [{'last_name': V('name.surname', m.latin[0].upper(), ''), 'first_name': V('name.given', m.latin[1].upper(), ''), 'birth_date': m.birth('issued_at'), 'doc_type': 'passport', 'doc_number': m.passport(), 'doc_expire': m.document_date(), 'citizenship': m.citizen(), 'gender': m.gender(), 'iin': m.iin()}], 'contacts': {'email': m.email(), 'phone': m.phone()}, 'segments': [{'from': 'ALA', 'to': 'NQZ', 'flight': 'KC-851'}]}


@service('telegram', 'AE')
def telegram(m):
    text = T('Новая заявка: {}, тел. {}, ИИН {}', m.full(), m.open_phone(), V('national_id', m.iin_digits(), ''), twin=f'Новая заявка: счёт {m.digits(5)}, сумма 5000, БИН {m.bin_digits()}')
    return 'api.telegram.example', '/bot/sendMessage', m.pick('json', 'form'), {'chat_id': '-100' + m.digits(10), 'text': text, 'parse_mode': 'HTML'}


@service('wazzup', 'RU')
def wazzup(m):
    return 'wazzup.example.ru', '/v3/message', 'json', {'channelId': m.uuid(), 'chatType': 'whatsapp', 'chatId': V('phone', m.phone(True).value, ''), 'text': m.pick('Добрый день!', 'Сәлеметсіз бе!')}


@service('jivo', 'RU')
def jivo(m):
    return 'jivo.example.ru', '/webhook', 'json', {'event': 'chat_finished', 'visitor': {'name': m.full(), 'email': m.email(), 'phone': m.phone(), 'social': V('social', m.pick('https://vk.com/' + m.handle(), 'https://www.instagram.com/' + m.handle() + '/'), '')}, 'session': {'geoip': {'city': m.city(), 'latitude': V('location', '43.25', ''), 'longitude': V('location', '76.91', '')}, 'ip_addr': m.ip('ver')}}


@service('gibdd', 'RU')
def gibdd(m):
    return 'fines.example.ru', '/check', m.pick('form', 'json'), {'regnum': V('vehicle', m.plate_text(), ''), 'stsnum': V('id_document', '98' + m.pick('УУ', '01') + ' ' + m.digits(6), ''), 'captcha': m.digits(5)}


@service('complaint', 'KZ')
def complaint(m):
    text = m.pick(T('Я, {}, ИИН {}, прошу вернуть деньги на счёт {}. Телефон: {}', m.full(), V('national_id', m.iin_digits(), ''), V('payment.iban', m.iban_text(), ''), m.open_phone(), twin='Прошу вернуть деньги за заказ. Номер заказа 12345.'),
                  T('Мен, {}, {} мекенжайында тұрамын, байланыс телефоны {}', m.full(), V('address', 'Абай көшесі, 10-үй, 5-пәтер', ''), m.open_phone(), twin='Тапсырысым келмеді, өтінемін, тексеріңіз.'),
                  T('Машина {} стоит во дворе по адресу {}', V('vehicle', '000' + m.pick('ABC', 'KLM', 'ZTN') + '02', ''), V('address', 'ул. Абая, д. 10, кв. 5', ''), twin='Машина стоит во дворе вторую неделю, примите меры'),
                  T('Пациентка {} наблюдается с диагнозом {}', m.full(), V('health', m.r.choice(DISEASE), ''), twin='Пациенты наблюдаются в порядке очереди'),
                  T('Потерял удостоверение личности № {}, выдано МВД РК, паспорт {}', V('id_document', '000' + m.digits(6), ''), V('id_document', 'N00' + m.digits(6), ''), twin='Потерял чек, можно ли вернуть товар без него?'))
    return 'support.example.kz', '/tickets', m.pick('json', 'multipart', 'form'), {'subject': m.pick('Жалоба', 'Өтініш'), m.pick('message', 'text', 'обращение'): text, 'priority': 3}


@service('neutral', 'KZ')
def neutral(m):
    keys = ['f1', 'field_17', 'value', 'param3', 'data_5', 'attr', 'q7', 'x1']
    m.r.shuffle(keys)
    values = [m.open_iin('invoice_no'), m.open_phone(), m.email(), V('payment.iban', t := m.iban_text(), m.wrong(t)), m.open_card('barcode'), m.open_snils()]
    m.r.shuffle(values)
    return 'etl.example.kz', '/rows', m.pick('json', 'form', 'xml'), {'row': dict(zip(keys, values[:m.r.randint(1, 4)])) | {'n': m.r.randint(1, 9)}}


@service('numbers', 'KZ')
def numbers(m):
    return 'erp.example.kz', '/invoice', m.pick('json', 'xml'), {'invoice': {'БИН': m.bin_digits(), 'invoice_number': m.digits(12), 'покупатель': {'бин': m.bin_digits(), 'наименование': 'ТОО «Пример»'}, 'ИИН_получателя': m.iin()} if m.maybe() else {'bin': m.bin_digits(), 'invoice_number': m.digits(12), 'iin_poluchatelya': m.iin(), 'total': 100}}


@service('ids-abroad', 'DE')
def abroad(m):
    made = m.pick({'ssn': V('national_id', '219-09-9999', '')}, {'nino': V('national_id', 'QQ123456C', '')}, {'nhs_number': V('national_id', '943 476 5919', '')}, {'pesel': V('national_id', '44051401359', '')}, {'dni': V('national_id', '12345678Z', '')}, {'bsn': V('national_id', '111222333', '')},
                  {'codice_fiscale': V('national_id', 'RSSMRA80A01H501U', '')}, {'steuer_id': V('national_id', '86095742719', '')}, {'personnummer': V('national_id', '811228-9874', '')}, {'nie': V('national_id', 'X1234567L', '')})
    return 'kyc.example.com', '/v1/applicants', 'json', {'applicant': {'first_name': V('name.given', m.latin[1], ''), 'last_name': V('name.surname', m.latin[0], ''), **made}}


@service('biometrics', 'KZ')
def biometrics(m):
    blob = '/9j/4AAQSkZJRgABAQEAYABgAAD' + ''.join(m.r.choice('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789') for _ in range(160))
    made = m.pick({'face_template': V('biometric', blob[28:], '')}, {'selfie': V('photo', blob, '')}, {'photo': V('photo', 'data:image/jpeg;base64,' + blob + '==', '')}, {'fingerprint_template': V('biometric', blob[28:], '')})
    return 'verify.example.kz', '/liveness', 'json', {'session': m.uuid(), 'person': {'iin': m.iin(), **made}}


@service('hh', 'RU')
def hh(m):
    return 'hh.example.ru', '/resumes', 'json', {'last_name': m.surname(), 'first_name': m.given(), 'middle_name': m.patronymic(), 'birth_date': m.birth('updated_at'), 'gender': {'id': m.gender()}, 'area': {'id': '160'}, 'contact': [{'type': {'id': 'cell'}, 'value': {'formatted': m.phone()}}, {'type': {'id': 'email'}, 'value': m.email()}], 'site': [{'type': {'id': 'skype'}, 'url': V('messenger', 'skype:' + m.handle(), '')}], 'title': 'Бухгалтер', 'salary': {'amount': 300000, 'currency': 'KZT'}}


@service('wallets', 'KZ')
def wallets(m):
    return 'pay.example.com', '/payouts', 'json', {'amount': '0.1', 'currency': 'BTC', 'wallet_address': m.wallet(), 'recipient': {'name': m.full(''), 'email': m.email()}}


@service('rent', 'KZ')
def rent(m):
    return 'krisha.example.kz', '/contracts', m.pick('form', 'multipart'), {'landlord_fio': m.full(''), 'landlord_iin': m.iin(), 'passport': m.passport(), 'adres_kvartiry': m.address(), 'telefon': m.phone(), 'summa': 150000, 'data_dogovora': '01.03.2026'}


@service('emias', 'RU')
def emias(m):
    return 'emias.example.ru', '/api/appointment', m.pick('json', 'xml'), {'appointment': {'omsNumber': m.oms(), 'birthDate': m.birth('createdDate'), 'snils': m.snils(), 'svidetelstvo_o_rozhdenii': V('id_document', 'I-АА № ' + m.digits(6), ''), 'lpuId': m.digits(4)}}


@service('pension', 'KZ')
def pension(m):
    return 'enpf.example.kz', '/reports', 'xml', {'MT102': {'Reference': m.digits(10), 'Sender': {'BIN': m.bin_digits(), 'IIK': m.iban()}, 'Contributor': [{'FIO': m.full(''), 'IIN': m.iin(), 'DOB': m.birth('PERIOD'), 'SIC': V('national_id', m.digits(16), ''), 'SUM': m.digits(5)} for _ in range(m.r.randint(1, 2))]}}
