//! Names of apps: what may be one, and when two of them look alike (UTS 39 in spirit, with small tables).
//!
//! A name is one line in one script, so that no letter stands in for another one of its kind. Two names
//! look alike when their keys are equal: lower case, without spaces and signs, look-alikes replaced.

/// Whether a name may be registered.
///
/// # Errors
/// A sentence that says what to change.
pub(super) fn check_name(name: &str, platform: &str) -> Result<(), &'static str> {
    let length = name.chars().count();
    if !(2..=50).contains(&length) {
        return Err("write 2 to 50 characters");
    }
    clean_line(name)?;
    if name_key(name).is_empty() {
        return Err("use letters or digits");
    }
    let scripts = [name.chars().any(is_latin), name.chars().any(is_greek), name.chars().any(is_cyrillic)];
    if scripts.iter().filter(|found| **found).count() > 1 {
        return Err("use letters of one script: Latin, Greek and Cyrillic letters look alike");
    }
    if name.chars().any(is_styled) {
        return Err("use plain letters and digits, not bold, circled, raised or small-capital ones");
    }
    let platform = name_key(platform);
    if !platform.is_empty() && name_key(name).contains(&platform) {
        return Err("leave the platform's name out: people would take the app for the platform's own");
    }
    Ok(())
}

/// Whether a text has neither control characters nor ones that hide or turn the text around them.
///
/// # Errors
/// A sentence that says what to change.
pub fn clean_line(text: &str) -> Result<(), &'static str> {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}')
    };
    // Line ends are folded where the text is shown.
    if text.chars().any(|c| hidden(c) && !matches!(c, '\n' | '\r')) {
        return Err("remove control characters and invisible ones, such as those that turn the direction of the text");
    }
    let mut marks = 0;
    for c in text.chars() {
        marks = if matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}') {
            marks + 1
        } else {
            0
        };
        if marks > 2 {
            return Err("remove the marks that are stacked on letters");
        }
    }
    Ok(())
}

/// What two names that look alike have in common.
#[must_use]
pub fn name_key(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).filter_map(plain).collect()
}

/// The plain letter that a letter looks like; `None` is not seen or sets nothing apart.
fn plain(c: char) -> Option<char> {
    let c = match c {
        '0' | 'ο' | 'о' | 'ø' | 'ö' | 'ó' | 'ò' | 'ô' | 'õ' | 'օ' => 'o',
        '1' | '|' | 'ı' | 'i' | 'í' | 'ì' | 'î' | 'ï' | 'ι' | 'і' | 'ї' | 'ӏ' | 'j' | 'ј' => 'l',
        '3' | 'з' => 'e',
        '5' | 'ѕ' => 's',
        'а' | 'α' | 'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' | '4' | '@' => 'a',
        'с' | 'ϲ' | 'ç' | 'ć' | 'č' => 'c',
        'е' | 'ε' | 'é' | 'è' | 'ê' | 'ë' | 'ё' => 'e',
        'р' | 'ρ' => 'p',
        'х' | 'χ' => 'x',
        'у' | 'γ' | 'ý' | 'ÿ' => 'y',
        'к' | 'κ' => 'k',
        'м' | 'μ' => 'm',
        'н' => 'h',
        'т' | 'τ' => 't',
        'в' | 'β' | 'ß' => 'b',
        'ν' => 'v',
        'η' | 'ñ' | 'п' => 'n',
        'υ' | 'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ω' | 'ѡ' => 'w',
        'ԁ' => 'd',
        'һ' | 'ʜ' => 'h',
        'ʙ' => 'b',
        'ɡ' | 'ɢ' => 'g',
        'ɑ' => 'a',
        'ɪ' | 'ʟ' => 'l',
        'ɴ' => 'n',
        'ʀ' => 'r',
        'ʏ' => 'y',
        'ԛ' => 'q',
        '\u{ff10}'..='\u{ff19}' | '\u{ff41}'..='\u{ff5a}' => char::from_u32(u32::from(c) - 0xfee0).and_then(plain)?,
        other => other,
    };
    c.is_alphanumeric().then_some(c)
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' | '\u{ff21}'..='\u{ff5a}')
}

/// Letters and digits of a style, which stand for the plain ones (Unicode's compatibility characters).
fn is_styled(c: char) -> bool {
    c.is_alphanumeric()
        && matches!(c, '\u{1d00}'..='\u{1dbf}' | '\u{2070}'..='\u{209f}' | '\u{2100}'..='\u{218f}' | '\u{2460}'..='\u{24ff}'
            | '\u{1d400}'..='\u{1d7ff}' | '\u{1f100}'..='\u{1f1ff}')
}

fn is_greek(c: char) -> bool {
    matches!(c, '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}')
}

fn is_cyrillic(c: char) -> bool {
    matches!(c, '\u{400}'..='\u{52f}' | '\u{2de0}'..='\u{2dff}' | '\u{a640}'..='\u{a69f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_imitate_have_the_same_key() {
        for other in [
            "SALON PLANNER",
            "Salon-Planner",
            "Sаlon Planner",
            "Salon P1anner",
            "Salon Plаnnеr!",
            "Ｓalon Planner",
            "Sálón Plànnêr",
            "Saʟon Pʟanneʀ",
        ] {
            assert_eq!(name_key(other), name_key("Salon Planner"), "{other}");
        }
        assert_ne!(name_key("Salon Plan"), name_key("Salon Planner"));
    }

    #[test]
    fn what_may_not_be_a_name_says_what_to_change() {
        for bad in [
            "",
            "x",
            &"x".repeat(51),
            "a\u{202e}b",
            "a\u{200b}b",
            "a\u{0}b",
            "Sаlon",
            "Edgegrant",
            "Edge-Grant Official",
            "Ｅdgegrant",
            "!!!",
            "z\u{300}\u{301}\u{302}algo",
            "\u{1d412}alon",
            "Ⓢalon",
            "ᴘlanner",
            "Planner Ⅳ",
        ] {
            assert!(check_name(bad, "Edgegrant").is_err(), "{bad:?}");
        }
        for good in ["Salon Planner", "Café Zoë", "Планировщик", "予約アプリ", "مواعيد", "X-1", "🦀 Crab", "Ɛyɛ", "Planner™ N² 🇬🇧"]
        {
            assert_eq!(check_name(good, "Edgegrant"), Ok(()), "{good}");
        }
    }
}
