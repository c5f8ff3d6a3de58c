//! Countries by their ISO 3166-1 alpha-2 code.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Assigned alpha-2 codes (ISO 3166-1 as of 2026), plus `XK`, which is user-assigned and in common use.
const ASSIGNED: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH \
GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB \
LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM \
PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG \
TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

/// What people write instead of the code, in capitals: ISO 3166-1 alpha-3 codes and English names of the countries that recipients are
/// usually in. A guess by the first letters would name another country (`POL` is no PO, `Germany` no GE).
const WRITTEN: &[(&str, &[&str])] = &[
    ("AE", &["ARE", "UAE", "UNITED ARAB EMIRATES"]),
    ("AM", &["ARM", "ARMENIA"]),
    ("AT", &["AUT", "AUSTRIA"]),
    ("AZ", &["AZE", "AZERBAIJAN"]),
    ("BE", &["BEL", "BELGIUM"]),
    ("BG", &["BGR", "BULGARIA"]),
    ("BY", &["BLR", "BELARUS"]),
    ("CA", &["CAN", "CANADA"]),
    ("CH", &["CHE", "SWITZERLAND"]),
    ("CN", &["CHN", "CHINA"]),
    ("CY", &["CYP", "CYPRUS"]),
    ("CZ", &["CZE", "CZECHIA", "CZECH REPUBLIC"]),
    ("DE", &["DEU", "GER", "GERMANY", "DEUTSCHLAND"]),
    ("DK", &["DNK", "DENMARK"]),
    ("EE", &["EST", "ESTONIA"]),
    ("ES", &["ESP", "SPAIN"]),
    ("FI", &["FIN", "FINLAND"]),
    ("FR", &["FRA", "FRANCE"]),
    (
        "GB",
        &[
            "GBR",
            "UK",
            "ENG",
            "ENGLAND",
            "GREAT BRITAIN",
            "UNITED KINGDOM",
        ],
    ),
    ("GE", &["GEO", "GEORGIA"]),
    ("GR", &["GRC", "EL", "GREECE"]),
    ("HK", &["HKG", "HONG KONG"]),
    ("HU", &["HUN", "HUNGARY"]),
    ("IE", &["IRL", "IRELAND"]),
    ("IL", &["ISR", "ISRAEL"]),
    ("IN", &["IND", "INDIA"]),
    ("IT", &["ITA", "ITALY"]),
    ("JP", &["JPN", "JAPAN"]),
    ("KG", &["KGZ", "KYRGYZSTAN"]),
    ("KR", &["KOR", "KOREA", "SOUTH KOREA"]),
    ("KZ", &["KAZ", "KAZAKHSTAN"]),
    ("LT", &["LTU", "LITHUANIA"]),
    ("LU", &["LUX", "LUXEMBOURG"]),
    ("LV", &["LVA", "LATVIA"]),
    ("MD", &["MDA", "MOLDOVA"]),
    ("MN", &["MNG", "MONGOLIA"]),
    ("NL", &["NLD", "NETHERLANDS", "HOLLAND"]),
    ("NO", &["NOR", "NORWAY"]),
    ("PL", &["POL", "POLAND"]),
    ("PT", &["PRT", "PORTUGAL"]),
    ("RO", &["ROU", "ROMANIA"]),
    ("RS", &["SRB", "SERBIA"]),
    ("RU", &["RUS", "RUSSIA", "RUSSIAN FEDERATION"]),
    ("SE", &["SWE", "SWEDEN"]),
    ("SG", &["SGP", "SINGAPORE"]),
    ("SI", &["SVN", "SLOVENIA"]),
    ("SK", &["SVK", "SLOVAKIA"]),
    ("TJ", &["TJK", "TAJIKISTAN"]),
    ("TM", &["TKM", "TURKMENISTAN"]),
    ("TR", &["TUR", "TURKEY", "TÜRKIYE", "TURKIYE"]),
    ("UA", &["UKR", "UKRAINE"]),
    ("US", &["USA", "UNITED STATES", "UNITED STATES OF AMERICA"]),
    ("UZ", &["UZB", "UZBEKISTAN"]),
];

/// A country or territory that has an alpha-2 code of its own. Territories (GG, RE, AX …) inherit nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// Kazakhstan.
    pub const KZ: Self = Self(*b"KZ");

    /// No country: an operator has not said yet where a recipient is. `ZZ` is user-assigned in ISO 3166-1 and means "unknown" in
    /// Unicode CLDR. It is nobody's home and on no list, so a transfer there has no basis in adequacy, and no text parses to it.
    pub const UNDECLARED: Self = Self(*b"ZZ");

    /// The country that a text which is no code means: its code in lower case, an alpha-3 code or its English name. For a message's fix
    /// only; nothing is ever read so.
    pub fn meant(text: &str) -> Option<Self> {
        let upper = text.trim().to_uppercase();
        let written = WRITTEN.iter().find(|(_, all)| all.contains(&&*upper));
        written
            .map_or(upper.as_str(), |(code, _)| code)
            .parse()
            .ok()
    }

    /// The two upper-case letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("??")
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Country {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = ASSIGNED.split(' ').any(|it| it == text);
        match (known, text.as_bytes()) {
            (true, [a, b]) => Ok(Self([*a, *b])),
            _ => Err(format!(
                "`{text}` is not an ISO 3166-1 alpha-2 country code such as KZ or DE"
            )),
        }
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // Records of what was decided name it too, and must be read back.
        if text == Self::UNDECLARED.code() {
            return Ok(Self::UNDECLARED);
        }
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_known_by_what_people_write() {
        for (text, code) in [
            ("Germany", Some("DE")),
            ("pol", Some("PL")),
            ("uk", Some("GB")),
            ("kz", Some("KZ")),
            ("XX", None),
            ("Gondor", None),
        ] {
            let meant = Country::meant(text);
            assert_eq!(meant.as_ref().map(Country::code), code, "{text}");
        }
        for (code, written) in WRITTEN {
            assert!(code.parse::<Country>().is_ok(), "{code}");
            assert!(written.iter().all(|it| it.parse::<Country>().is_err()));
        }
    }

    #[test]
    fn knows_codes_and_refuses_others() {
        assert_eq!("NO".parse::<Country>().unwrap().code(), "NO");
        for text in ["kz", "KAZ", "EU", "", "D ", "UK", "ZZ"] {
            assert!(text.parse::<Country>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_record_of_no_country_is_read_back() {
        let json = serde_json::to_string(&Country::UNDECLARED).unwrap();
        let back: Country = serde_json::from_str(&json).unwrap();
        assert_eq!(back, Country::UNDECLARED);
        assert!(serde_json::from_str::<Country>("\"QQ\"").is_err());
    }
}
