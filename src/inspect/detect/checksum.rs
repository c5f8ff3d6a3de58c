//! Check digits. Each function takes digit values 0–9 (not ASCII), most significant first.

/// Luhn (ISO/IEC 7812-1 annex B).
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let value = u32::from(*digit);
            match (at % 2, value) {
                (0, _) => value,
                (_, 5..) => value * 2 - 9,
                _ => value * 2,
            }
        })
        .sum();
    digits.len() >= 2 && sum.is_multiple_of(10)
}

/// Weighted sum of the first digits.
fn weigh(digits: &[u8], weights: &[u32]) -> u32 {
    digits
        .iter()
        .zip(weights)
        .map(|(digit, weight)| u32::from(*digit) * weight)
        .sum()
}

/// Whether the digit at `at` is `expected`.
fn is_digit_at(digits: &[u8], at: usize, expected: u32) -> bool {
    digits.get(at).is_some_and(|it| u32::from(*it) == expected)
}

/// IIN and BIN of Kazakhstan share one check digit: mod 11, with second weights where the first give 10.
pub(super) fn iin(digits: &[u8]) -> bool {
    let first = weigh(digits, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) % 11;
    let check = if first == 10 {
        weigh(digits, &[3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]) % 11
    } else {
        first
    };
    digits.len() == 12 && check < 10 && is_digit_at(digits, 11, check)
}

/// Whether `text` is 12 digits that end with the check digit of an IIN or BIN.
pub fn is_kz_number(text: &str) -> bool {
    let digit = |it: u8| it.is_ascii_digit().then(|| it - b'0');
    let digits: Option<Vec<u8>> = text.bytes().map(digit).collect();
    digits.is_some_and(|it| iin(&it))
}

/// INN of a natural person of Russia: two check digits.
pub(super) fn inn_person(digits: &[u8]) -> bool {
    let first = weigh(digits, &[7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10;
    let second = weigh(digits, &[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11 % 10;
    digits.len() == 12 && is_digit_at(digits, 10, first) && is_digit_at(digits, 11, second)
}

/// SNILS of Russia: two check digits over nine; numbers up to 001-001-998 carry none and are refused here.
pub(super) fn snils(digits: &[u8]) -> bool {
    let serial = digits
        .iter()
        .take(9)
        .fold(0_u32, |sum, it| sum * 10 + u32::from(*it));
    let check = weigh(digits, &[9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101 % 100;
    digits.len() == 11
        && serial > 1_001_998
        && is_digit_at(digits, 9, check / 10)
        && is_digit_at(digits, 10, check % 10)
}

/// PINFL of Uzbekistan: weights 7, 3, 1 over thirteen digits, mod 10.
pub(super) fn pinfl(digits: &[u8]) -> bool {
    let check = weigh(digits, &[7, 3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1, 7]) % 10;
    digits.len() == 14 && is_digit_at(digits, 13, check)
}

/// CPF of Brazil: two check digits, mod 11 (Receita Federal; IN RFB 1.548/2015).
pub(super) fn cpf(digits: &[u8]) -> bool {
    let check = |sum: u32| match sum % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    let first = check(weigh(digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2]));
    let second = check(weigh(digits, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2]));
    let is_one_digit = digits.iter().all(|it| digits.first() == Some(it));
    digits.len() == 11
        && !is_one_digit
        && is_digit_at(digits, 9, first)
        && is_digit_at(digits, 10, second)
}

/// NIR of France: two digits that complete the first thirteen to a multiple of 97 (Code de la sécurité sociale, R. 161-1; INSEE).
pub(super) fn nir(digits: &[u8]) -> bool {
    let value = |part: &[u8]| part.iter().fold(0_u64, |sum, it| sum * 10 + u64::from(*it));
    match digits.split_at_checked(13) {
        Some((number, check @ [_, _])) => value(check) == 97 - value(number) % 97,
        _ => false,
    }
}

/// DNI and NIE of Spain, in capitals: the letter of the remainder by 23 (Real Decreto 1553/2005; Orden INT/2058/2008).
pub(super) fn dni(number: &[u8]) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let Some((check, head)) = number.split_last() else {
        return false;
    };
    let digit = |(at, byte): (usize, &u8)| match (at, byte) {
        (_, b'0'..=b'9') => Some(usize::from(byte - b'0')),
        (0, b'X'..=b'Z') => Some(usize::from(byte - b'X')),
        _ => None,
    };
    let value = (head.iter().enumerate())
        .map(digit)
        .try_fold(0_usize, |sum, it| Some(sum * 10 + it?));
    number.len() == 9 && value.and_then(|it| LETTERS.get(it % 23)) == Some(check)
}

/// Henkilötunnus of Finland, in capitals: the sign of the remainder by 31 (Valtioneuvoston asetus 128/2010).
pub(super) fn henkilotunnus(number: &[u8]) -> bool {
    const SIGNS: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    let [birth @ .., _, one, two, three, check] = number else {
        return false;
    };
    let mut digits = birth.iter().chain([one, two, three]);
    let value = digits.try_fold(0_usize, |sum, it| {
        let digit = it.is_ascii_digit().then(|| usize::from(it - b'0'))?;
        Some(sum * 10 + digit)
    });
    number.len() == 11 && value.and_then(|it| SIGNS.get(it % 31)) == Some(check)
}

/// Codice fiscale of Italy, in capitals: letters of the name, year, month, day, place, and the letter of the sum by 26 (D.M. 23
/// dicembre 1976, n. 13813). Letters may stand for digits where two persons had the same.
pub(super) fn codice_fiscale(code: &[u8]) -> bool {
    const ODD: &[u8; 26] = &[
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let is_letter_at = |at: usize| matches!(at, 0..=5 | 8 | 11 | 15);
    let mut sum = 0_u32;
    for (at, byte) in code.iter().enumerate() {
        let fits = match byte {
            b'A'..=b'Z' if at == 8 => b"ABCDEHLMPRST".contains(byte),
            b'A'..=b'Z' => is_letter_at(at) || b"LMNPQRSTUV".contains(byte),
            b'0'..=b'9' => !is_letter_at(at),
            _ => false,
        };
        if !fits {
            return false;
        }
        let rank = byte - if byte.is_ascii_digit() { b'0' } else { b'A' };
        let value = if at % 2 == 0 {
            ODD.get(usize::from(rank)).copied().unwrap_or_default()
        } else {
            rank
        };
        if at < 15 {
            sum += u32::from(value);
        }
    }
    let last = code.get(15).map(|it| u32::from(it.wrapping_sub(b'A')));
    code.len() == 16 && last == Some(sum % 26)
}

/// IBAN (ISO 13616): letters and digits without spaces, mod 97 = 1 after the first four characters move to the end.
pub(super) fn iban(compact: &[u8]) -> bool {
    let (Some(head), Some(tail)) = (compact.get(..4), compact.get(4..)) else {
        return false;
    };
    let mut rest = 0_u32;
    for byte in tail.iter().chain(head) {
        rest = match byte {
            b'0'..=b'9' => rest * 10 + u32::from(byte - b'0'),
            b'A'..=b'Z' => rest * 100 + u32::from(byte - b'A') + 10,
            b'a'..=b'z' => rest * 100 + u32::from(byte - b'a') + 10,
            _ => return false,
        } % 97;
    }
    rest == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rule: fn(&[u8]) -> bool, good: &[&str]) {
        for text in good {
            let digits: Vec<u8> = text.bytes().map(|it| it - b'0').collect();
            assert!(rule(&digits), "{text}");
            for at in 0..digits.len() {
                let mut wrong = digits.clone();
                wrong[at] = (wrong[at] + 1) % 10;
                assert!(!rule(&wrong), "{text} with digit {at} changed");
            }
        }
    }

    #[test]
    fn valid_numbers_pass_and_a_changed_digit_fails() {
        check(luhn, &["4111111111111111", "378282246310005"]);
        check(snils, &["11223344595", "08765430300"]);
        check(
            pinfl,
            &["31210632040244", "31210932040247", "40201902050010"],
        );
    }

    #[test]
    fn second_weights_and_numbers_never_issued() {
        let digits = |text: &str| text.bytes().map(|it| it - b'0').collect::<Vec<u8>>();
        for text in [
            "900101300007",
            "991231400014",
            "991231100010",
            "900101300811",
            "040229600205",
            "061211600012",
        ] {
            assert!(iin(&digits(text)), "{text}");
        }
        assert!(!iin(&digits("991231100011")));
        for last in 0..10 {
            assert!(!iin(&digits(&format!("90010130080{last}"))));
        }
        assert!(inn_person(&digits("500100732259")));
        assert!(!inn_person(&digits("500100732258")));
        assert!(!inn_person(&digits("7707083893")));
        assert!(!snils(&digits("00100199800")));
    }

    #[test]
    fn numbers_of_other_states_pass_and_a_changed_sign_fails() {
        check(cpf, &["11144477735", "52998224725"]);
        check(nir, &["255081416802538", "185057800608491"]);
        for (rule, good) in [
            (dni as fn(&[u8]) -> bool, "12345678Z"),
            (dni, "X1234567L"),
            (henkilotunnus, "131052-308T"),
            (codice_fiscale, "RSSMRA85T10A562S"),
        ] {
            assert!(rule(good.as_bytes()), "{good}");
            let mut wrong = good.as_bytes().to_vec();
            wrong[good.len() - 2] = if wrong[good.len() - 2] == b'1' {
                b'2'
            } else {
                b'1'
            };
            assert!(!rule(&wrong), "{good} with a changed sign");
            assert!(
                !rule(&good.as_bytes()[1..]),
                "{good} without its first sign"
            );
        }
        assert!(!cpf(&[1; 11]));
    }

    #[test]
    fn iban_is_checked_in_both_cases() {
        assert!(iban(b"KZ86125KZT5004100100"));
        assert!(iban(b"kz84722c000012345678"));
        assert!(!iban(b"KZ86125KZT5004100101"));
        assert!(!iban(b"KZ8"));
    }
}
