use std::io::{BufRead, Error, ErrorKind, Result};

/// What comes after a member or frame.
pub enum Next {
    Member,
    End,
}

/// Zero bytes up to the end are padding; a member cannot begin with one, so none may follow them.
pub fn skip(source: &mut impl BufRead, format: &str) -> Result<Next> {
    let mut padded = false;
    loop {
        let bytes = source.fill_buf()?;
        if bytes.is_empty() {
            return Ok(Next::End);
        }
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        if zeros < bytes.len() {
            return match padded || zeros > 0 {
                true => Err(Error::new(
                    ErrorKind::InvalidData,
                    format!("bytes behind the end of the {format} stream"),
                )),
                false => Ok(Next::Member),
            };
        }
        padded = true;
        source.consume(zeros);
    }
}
