//! Destinations: names, upstreams, routes.

use super::check;

#[test]
fn a_name_of_a_country_gets_its_code() {
    check(
        "country: DE",
        "country: Poland",
        r#"
            19:14 E destinations[0].country: `Poland` is not an ISO 3166-1 alpha-2 country code such as KZ or DE [did you mean `PL`?]
        "#,
    );
}

#[test]
fn names_and_codes() {
    check(
        "country: DE",
        "country: kz",
        r#"
            19:14 E destinations[0].country: `kz` is not an ISO 3166-1 alpha-2 country code such as KZ or DE [did you mean `KZ`?]
        "#,
    );
    check(
        "country: DE",
        "country: UK",
        r#"
            19:14 E destinations[0].country: `UK` is not an ISO 3166-1 alpha-2 country code such as KZ or DE [did you mean `GB`?]
        "#,
    );
    check(
        "party: mailer",
        "party: maler",
        r#"
            13:9 W parties[0].id: no destination names the party `mailer` [remove it, or name it in a destination]
            18:12 E destinations[0].party: unknown party `maler` [did you mean `mailer`?]
        "#,
    );
    check(
        "caller: shop",
        "caller: shp",
        r#"
            22:18 E destinations[0].callers[0].caller: unknown caller `shp` [did you mean `shop`?]
        "#,
    );
    check(
        "match: {path_prefix: /mail}",
        "match: {listener: man, host: 'https://a.test:80', path_prefix: a/../b}",
        r#"
            20:23 E destinations[0].match.listener: unknown listener `man` [did you mean `main`?]
            20:34 E destinations[0].match.host: `https://a.test:80` is not a host [write the host alone: a.test]
            20:68 E destinations[0].match.path_prefix: the path does not start with a slash [write a prefix of plain segments, such as /mail]
        "#,
    );
    check(
        r"    country: DE
",
        r"    country: DE
    onward: [{party: x, country: DE}]
    remote_access_countries: [DE, XX]
",
        r#"
            20:22 E destinations[0].onward[0].party: unknown party `x` [one of: mailer]
            21:35 E destinations[0].remote_access_countries[1]: `XX` is not an ISO 3166-1 alpha-2 country code such as KZ or DE [-]
        "#,
    );
    check(
        r"destinations:
",
        r"destinations:
  - id: other
    party: mailer
    country: DE
    match: {path_prefix: /mail/}
    upstream: {url: 'https://a.test'}
    routes: []
",
        r#"
            18:12 W destinations[0].party: no agreement with `mailer`: personal data to it is refused (no-agreement) [add `agreement:` with its actions and purposes, once it is signed]
            22:13 E destinations[0].routes: there is no route [add one: `- {purpose: service.orders}`; every transfer has a purpose]
            26:12 E destinations[1].match: `other` matches the same requests [tell them apart by listener, host or path_prefix]
        "#,
    );
}

#[test]
fn upstreams() {
    check(
        "https://mail.example.org",
        "https://u:p@mail.example.org/?a#b",
        r#"
            24:12 E destinations[0].upstream.url: the URL holds user information [remove it: a configuration is no place for secrets; write them into a file and name it in `credentials`]
            24:12 E destinations[0].upstream.url: the URL holds a query or fragment [end it after the base path]
        "#,
    );
    check(
        "https://mail.example.org",
        "http://mail.example.org",
        r#"
            24:12 W destinations[0].upstream.url: plain HTTP: only messages without personal data can go [write https://, or `controlled_zone: true` if it stands in the operator's own network]
        "#,
    );
    check(
        "https://mail.example.org",
        "https://192.168.1.1",
        r#"
            24:12 E destinations[0].upstream.url: the address is private [write `controlled_zone: true` if it stands in the operator's own network]
        "#,
    );
    check(
        "https://mail.example.org",
        "https://[::ffff:10.0.0.1]/",
        r#"
            24:12 E destinations[0].upstream.url: the address is private [write `controlled_zone: true` if it stands in the operator's own network]
        "#,
    );
    check(
        "https://mail.example.org",
        "ftp://mail.example.org",
        r#"
            24:12 E destinations[0].upstream.url: not an http or https URL [write https://, a host, and if need be a port and a base path]
        "#,
    );
    check(
        "https://mail.example.org",
        "mail.example.org",
        r#"
            24:12 E destinations[0].upstream.url: not a URL [write https://, a host, and if need be a port and a base path]
        "#,
    );
    check(
        "https://mail.example.org",
        r"https://127.0.0.1:8443
      controlled_zone: true",
        "",
    );
    check(
        "https://mail.example.org",
        r"https://192.0.2.7
      controlled_zone: true",
        r#"
            24:12 W destinations[0].upstream.url: a public address is declared as the operator's own network [remove `controlled_zone: true`, unless the network is routed privately]
        "#,
    );
}

#[test]
fn purposes_and_actions() {
    check(
        "purposes: [marketing.email]}",
        "purposes: [marketing.emial]}",
        r#"
            22:35 E destinations[0].callers[0].purposes[0]: no route lets a caller claim `marketing.emial` [did you mean `marketing.email`?]
        "#,
    );
    check(
        "purpose: service.orders",
        "purpose: Service",
        r#"
            36:18 E destinations[0].routes[1].purpose: `Service` is not a purpose such as marketing.email (lower-case words joined by dots) [did you mean `service`?]
        "#,
    );
    check(
        "purpose: service.orders",
        "purpose: servise",
        r#"
            36:18 E destinations[0].routes[1].purpose: the purpose `servise` is outside the agreement [did you mean `service`?]
        "#,
    );
    check(
        "purpose: service.orders",
        "channel: x",
        r#"
            36:9 E destinations[0].routes[1]: the route has no purpose [write either `purpose:` or `purposes_claimable:`]
        "#,
    );
    check(
        "purpose: service.orders",
        r"purpose: service
        purposes_claimable: [service]",
        r#"
            37:29 E destinations[0].routes[1].purposes_claimable: the route has a declared purpose too [write either `purpose:` or `purposes_claimable:`]
        "#,
    );
    check(
        r"actions: [send]
      - purpose",
        r"actions: [sned]
      - purpose",
        r#"
            35:19 E destinations[0].routes[0].actions[0]: the action `sned` is outside the agreement [did you mean `send`?]
        "#,
    );
    check(
        "      - path: /news",
        r"      - path: /news
        methods: [post, 'A B', TRACE]
        id: a
        purpose: info
      - path: /news
        id: a",
        r#"
            34:19 E destinations[0].routes[0].methods[0]: `post` would never match: methods are upper-case [did you mean `POST`?]
            34:25 E destinations[0].routes[0].methods[1]: `A B` is not a method [write GET, POST, PUT, PATCH or DELETE]
            34:32 E destinations[0].routes[0].methods[2]: TRACE is always refused [remove it]
            36:18 E destinations[0].routes[0].purpose: the purpose `info` is outside the agreement [one of: marketing.email, service]
            38:13 E destinations[0].routes[1].id: duplicate route id `a` [give each route its own id]
        "#,
    );
}
