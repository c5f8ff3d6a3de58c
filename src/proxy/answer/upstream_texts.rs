//! What a client is told when the upstream failed, in three languages. The decision stood; nothing here is about the law.

use crate::{policy::reasons::Language, proxy::upstream::Failure};

/// Title and mend in English, Kazakh, Russian.
type Texts = [(&'static str, &'static str); 3];

const BUSY: Texts = [
    (
        "The upstream takes no requests at the moment.",
        "Nothing of this request was processed there. Send it again after the time that Retry-After names.",
    ),
    (
        "Қабылдаушы сервер қазір сұрау қабылдамайды.",
        "Бұл сұрау онда өңделген жоқ. Оны Retry-After көрсеткен уақыттан кейін қайта жіберіңіз.",
    ),
    (
        "Сервер получателя сейчас не принимает запросы.",
        "Этот запрос там не обрабатывался. Отправьте его снова через время, указанное в Retry-After.",
    ),
];
const LATE: Texts = [
    (
        "The upstream did not answer in time.",
        "Try again later; if it stays so, ask the operator of the gate about the destination's time limits.",
    ),
    (
        "Қабылдаушы сервер уақытында жауап бермеді.",
        "Кейінірек қайталаңыз; жағдай өзгермесе, шлюз әкімшісінен уақыт шектеулерін сұраңыз.",
    ),
    (
        "Сервер получателя не ответил вовремя.",
        "Повторите позже; если не поможет, спросите администратора шлюза об ограничениях времени.",
    ),
];
const REDIRECT: Texts = [
    (
        "The upstream redirects the request to a host that is not declared.",
        "Ask the operator of the gate to declare that host as a destination, or call the right one.",
    ),
    (
        "Сервер сұрауды жарияланбаған хостқа бағыттайды.",
        "Шлюз әкімшісінен сол хостты бағыт ретінде жариялауды сұраңыз.",
    ),
    (
        "Сервер перенаправляет запрос на необъявленный узел.",
        "Попросите администратора шлюза объявить этот узел направлением передачи.",
    ),
];
const UNREACHABLE: Texts = [
    (
        "The upstream could not be reached, or broke off.",
        "Nothing is wrong with the request itself; ask the operator of the gate whether the destination is up.",
    ),
    (
        "Қабылдаушы серверге қосылу мүмкін болмады немесе байланыс үзілді.",
        "Сұраудың өзінде қате жоқ; шлюз әкімшісінен сервердің жұмысын сұраңыз.",
    ),
    (
        "Сервер получателя недоступен или прервал соединение.",
        "В самом запросе ошибки нет; спросите администратора шлюза, работает ли сервер.",
    ),
];
const UNTRUSTED: Texts = [
    (
        "The upstream could not prove who it is.",
        "Nothing was sent. Ask the operator of the gate to check the destination's certificate, roots and TLS floor.",
    ),
    (
        "Қабылдаушы сервер өзін растай алмады.",
        "Ештеңе жіберілген жоқ. Шлюз әкімшісінен сертификат пен TLS нұсқасын тексеруді сұраңыз.",
    ),
    (
        "Сервер получателя не подтвердил свою подлинность.",
        "Ничего не отправлено. Попросите администратора шлюза проверить сертификат и версию TLS.",
    ),
];
const UNWELCOME: Texts = [
    (
        "The upstream broke the secured connection off.",
        "Ask the operator of the gate whether the upstream wants a client certificate (`identity`), or another one.",
    ),
    (
        "Қабылдаушы сервер қорғалған байланысты үзді.",
        "Шлюз әкімшісінен сервер клиент сертификатын (`identity`) талап ете ме, соны сұраңыз.",
    ),
    (
        "Сервер получателя разорвал защищённое соединение.",
        "Спросите администратора шлюза, требует ли сервер клиентский сертификат (`identity`) или другой.",
    ),
];

/// Title and mend for `failure`.
pub(super) const fn of(failure: Failure, language: Language) -> (&'static str, &'static str) {
    let [en, kk, ru] = match failure {
        Failure::ConnectionTimeout
        | Failure::ResponseIdle
        | Failure::ResponseTimeout
        | Failure::TotalTime => LATE,
        Failure::RedirectStopped => REDIRECT,
        Failure::TlsCertificate | Failure::TlsProtocol => UNTRUSTED,
        Failure::TlsAlert => UNWELCOME,
        Failure::Crowded | Failure::CutOff { .. } | Failure::Unprocessed => BUSY,
        Failure::AddressProhibited
        | Failure::ConnectionRefused
        | Failure::ConnectionTerminated
        | Failure::Dns
        | Failure::Protocol
        | Failure::Unconfigured
        | Failure::Unroutable => UNREACHABLE,
    };
    match language {
        Language::En => en,
        Language::Kk => kk,
        Language::Ru => ru,
    }
}
