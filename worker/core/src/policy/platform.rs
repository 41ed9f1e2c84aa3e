//! The platform's face on pages: its name, its colour, what it calls an account.

use serde::{Deserialize, Serialize};

/// The platform's own face.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    /// Shown in titles and headings.
    pub name: String,
    /// What one of its customers' accounts is called, in the middle of a sentence: "salon".
    pub account: String,
    /// Colour of main buttons and links, `#rrggbb`; dark enough for white text. Empty: the style sheet's.
    #[serde(default)]
    pub colour: String,
}

impl Platform {
    /// A style sheet that goes on top of the pages' own: the colour, and a lighter one of the same hue
    /// where the system is dark. `None` without a colour.
    #[must_use]
    pub fn style_sheet(&self) -> Option<String> {
        let colour = rgb(&self.colour)?;
        let text = |[r, g, b]: [u8; 3]| format!("#{r:02x}{g:02x}{b:02x}");
        let (hover, light, lighter) = (mix(colour, 0, 20), mix(colour, 255, 60), mix(colour, 255, 75));
        Some(format!(
            ":root {{ --main: {main}; --main-hover: {hover}; --link: {main}; --on-main: #ffffff; }}\n\
             @media (prefers-color-scheme: dark) {{\n  :root {{ --main: {light}; --main-hover: {lighter}; --link: {light}; --on-main: #11151a; }}\n}}\n",
            main = text(colour),
            hover = text(hover),
            light = text(light),
            lighter = text(lighter),
        ))
    }
}

/// The three bytes of `#rrggbb`.
pub(super) fn rgb(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#')?;
    if digits.len() != 6 || !digits.is_ascii() {
        return None;
    }
    let number = u32::from_str_radix(digits, 16).ok()?;
    let [_, r, g, b] = number.to_be_bytes();
    Some([r, g, b])
}

/// A colour with `percent` of the grey `to` in it.
fn mix(colour: [u8; 3], to: u8, percent: u32) -> [u8; 3] {
    colour.map(|part| {
        let mixed = (u32::from(part) * (100 - percent) + u32::from(to) * percent) / 100;
        u8::try_from(mixed).unwrap_or(u8::MAX)
    })
}

/// The contrast of white text on a colour (WCAG 2.2, "contrast ratio"): 1 to 21.
pub(super) fn contrast_with_white(colour: [u8; 3]) -> f64 {
    let [r, g, b] = colour.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    1.05 / (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_what_wcag_says() {
        assert!((contrast_with_white([255; 3]) - 1.0).abs() < 0.01);
        assert!((contrast_with_white([0; 3]) - 21.0).abs() < 0.01);
        assert!((contrast_with_white([0x76; 3]) - 4.54).abs() < 0.01);
    }

    #[test]
    fn a_colour_becomes_a_style_sheet_and_none_becomes_none() {
        let platform = |colour: &str| Platform { name: "P".into(), account: "salon".into(), colour: colour.into() };
        assert_eq!(platform("").style_sheet(), None);
        let sheet = platform("#102030").style_sheet().unwrap();
        assert!(sheet.contains("--main: #102030;") && sheet.contains("--main: #9fa5ac;"), "{sheet}");
        for bad in ["102030", "#12", "#12345g", "#1234567", "red", "#ÄÄÄ"] {
            assert_eq!(rgb(bad), None, "{bad}");
        }
    }
}
