//! Foreign text made fit to be shown on a page or in a message: names that apps chose, reasons that
//! somebody wrote.
//!
//! What is left is one line without control characters, so it can neither begin a header of a mail
//! (RFC 5322 §2.2) nor a line of its text, and nothing that turns round, hides or covers the words
//! beside it (Unicode TR 36 §2.11). It is still to be escaped where it goes into HTML.

/// Characters that show nothing or change the order of what stands around them. The joiners
/// U+200C and U+200D stay: scripts and emoji need them.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Marks that are drawn over the character before them.
#[must_use]
pub fn is_stacked(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// One line of text: no control, no unseen character, white space folded, no more than three
/// marks on a character, at most `limit` characters and an ellipsis.
#[must_use]
pub fn one_line(text: &str, limit: usize) -> String {
    let mut line = String::new();
    let (mut length, mut marks, mut gap) = (0, 0, false);
    for c in text.chars().filter(|c| !is_unseen(*c)) {
        if c.is_whitespace() || c.is_control() {
            gap = true;
            continue;
        }
        marks = if is_stacked(c) { marks + 1 } else { 0 };
        if marks > 3 {
            continue;
        }
        if length >= limit {
            line.push('…');
            break;
        }
        if gap && !line.is_empty() {
            line.push(' ');
            length += 1;
        }
        gap = false;
        line.push(c);
        length += 1;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_begin_a_line_or_turn_one_round_is_gone() {
        let nasty = "Ledger\r\nBcc: x@y.example\u{2028}\u{202e}gnp\u{202c}\u{2066}!\u{2069}\0 \u{85} end";
        let line = one_line(nasty, 100);
        assert_eq!(line, "Ledger Bcc: x@y.examplegnp! end");
        assert!(!line.chars().any(|c| c.is_control() || is_unseen(c)));
    }

    #[test]
    fn a_long_text_is_cut_and_marks_do_not_pile_up() {
        assert_eq!(one_line("abcdef", 3), "abc…");
        assert_eq!(one_line(&format!("a{}b", "\u{301}".repeat(9)), 100), format!("a{}b", "\u{301}".repeat(3)));
        assert_eq!(one_line(" \t ", 3), "");
    }
}
