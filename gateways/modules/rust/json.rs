//! As much JSON as modules read and write.

/// Appends `text` as a string.
pub fn write_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            0..=0x1f => out.extend(format!("\\u{:04x}", byte).bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// As much of a JSON reader as is needed. `None` everywhere: this is not what was expected.
pub struct Json<'a> {
    input: &'a [u8],
    position: usize,
}

impl<'a> Json<'a> {
    pub fn new(input: &'a [u8]) -> Self {
        Self { input, position: 0 }
    }

    pub fn peek(&self) -> Option<u8> {
        self.input.get(self.position).copied()
    }

    pub fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.position += 1;
        Some(byte)
    }

    pub fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.position += 1;
        }
    }

    /// Takes `byte` after any white space.
    fn expect(&mut self, byte: u8) -> Option<()> {
        self.space();
        if self.next()? == byte {
            Some(())
        } else {
            None
        }
    }

    pub fn end(&mut self) -> Option<()> {
        self.space();
        if self.peek().is_none() {
            Some(())
        } else {
            None
        }
    }

    /// Calls `member` at each value, with its key.
    pub fn object(&mut self, mut member: impl FnMut(&mut Self, Vec<u8>) -> Option<()>) -> Option<()> {
        self.expect(b'{')?;
        self.space();
        if self.peek()? == b'}' {
            self.position += 1;
            return Some(());
        }
        loop {
            let key = self.string()?;
            self.expect(b':')?;
            member(self, key)?;
            self.space();
            match self.next()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    pub fn string(&mut self) -> Option<Vec<u8>> {
        self.expect(b'"')?;
        let mut text = Vec::new();
        loop {
            match self.next()? {
                b'"' => return Some(text),
                b'\\' => self.escape(&mut text)?,
                0..=0x1f => return None,
                byte => text.push(byte),
            }
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Option<()> {
        let byte = match self.next()? {
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'b' => 8,
            b't' => 9,
            b'n' => 10,
            b'f' => 12,
            b'r' => 13,
            b'u' => {
                let point = self.code_point()?;
                let point = char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER);
                text.extend(point.encode_utf8(&mut [0; 4]).bytes());
                return Some(());
            }
            _ => return None,
        };
        text.push(byte);
        Some(())
    }

    /// After `\u`. A surrogate without the other one stays what it is.
    fn code_point(&mut self) -> Option<u32> {
        let high = self.hex()?;
        if !(0xd800..0xdc00).contains(&high) || !self.input[self.position..].starts_with(b"\\u") {
            return Some(high);
        }
        let back = self.position;
        self.position += 2;
        let low = self.hex()?;
        if (0xdc00..0xe000).contains(&low) {
            return Some(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
        }
        self.position = back;
        Some(high)
    }

    fn hex(&mut self) -> Option<u32> {
        let mut number = 0;
        for _ in 0..4 {
            number = number * 16 + char::from(self.next()?).to_digit(16)?;
        }
        Some(number)
    }

    /// Passes over any value.
    pub fn skip(&mut self, depth: usize) -> Option<()> {
        if depth == 0 {
            return None;
        }
        self.space();
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
            b'{' => self.object(|json, _| json.skip(depth - 1)),
            b'[' => self.array(depth),
            _ => self.word(),
        }
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        self.expect(b'[')?;
        self.space();
        if self.peek()? == b']' {
            self.position += 1;
            return Some(());
        }
        loop {
            self.skip(depth - 1)?;
            self.space();
            match self.next()? {
                b',' => {}
                b']' => return Some(()),
                _ => return None,
            }
        }
    }

    /// A number, true, false or null; which of them does not matter.
    fn word(&mut self) -> Option<()> {
        let start = self.position;
        while matches!(self.peek(), Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z')) {
            self.position += 1;
        }
        if self.position > start {
            Some(())
        } else {
            None
        }
    }
}
