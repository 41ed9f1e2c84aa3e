//! Comma-separated values (RFC 4180) for spreadsheets.
//!
//! A cell that a spreadsheet would take for a formula gets an apostrophe in front: what is in it may be
//! what an app's developer or a guest has chosen.

/// A file as it grows.
#[derive(Debug, Default)]
pub(crate) struct Csv(String);

impl Csv {
    /// Adds a line.
    pub(crate) fn line(&mut self, cells: &[&str]) {
        for (at, cell) in cells.iter().enumerate() {
            if at > 0 {
                self.0.push(',');
            }
            self.cell(cell);
        }
        self.0.push_str("\r\n");
    }

    fn cell(&mut self, text: &str) {
        let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
        let is_quoted = is_formula || text.contains(['"', ',', '\r', '\n']);
        if is_quoted {
            self.0.push('"');
        }
        if is_formula {
            self.0.push('\'');
        }
        self.0.push_str(&text.replace('"', "\"\""));
        if is_quoted {
            self.0.push('"');
        }
    }

    /// The whole file.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::Csv;

    fn line(cells: &[&str]) -> String {
        let mut csv = Csv::default();
        csv.line(cells);
        String::from_utf8(csv.into_bytes()).unwrap()
    }

    #[test]
    fn cells_are_quoted_where_rfc_4180_says_so() {
        assert_eq!(line(&["a", "", "b c"]), "a,,b c\r\n");
        assert_eq!(line(&["a,b", "say \"x\"", "two\r\nlines"]), "\"a,b\",\"say \"\"x\"\"\",\"two\r\nlines\"\r\n");
    }

    #[test]
    fn nothing_is_a_formula() {
        for start in ["=", "+", "-", "@", "\t", "\r", "\n"] {
            assert_eq!(line(&[&format!("{start}1+1"), "x"]), format!("\"'{start}1+1\",x\r\n"));
        }
        assert_eq!(line(&["1-1", "a@b"]), "1-1,a@b\r\n");
    }
}
