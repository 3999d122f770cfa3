//! Frames of the socket protocol (ARCHITECTURE.md, "The protocol"): `u32` big-endian length, `u8` channel, payload.

use ramekin_sys::{Code, Error, Result};

pub const CONTROL: u8 = 0;
pub const STDIN: u8 = 1;
pub const STDOUT: u8 = 2;
pub const STDERR: u8 = 3;

pub const HEADER: usize = 5;
const LONGEST: usize = 1 << 20;

pub fn header(channel: u8, length: usize) -> [u8; HEADER] {
    let [a, b, c, d] = (length as u32).to_be_bytes();
    [a, b, c, d, channel]
}

/// The first frame of `bytes`: its channel, its payload, and how many bytes it takes. `None`: not all of it is there yet.
pub fn parse(bytes: &[u8]) -> Result<Option<(u8, &[u8], usize)>> {
    let Some((&[a, b, c, d, channel], rest)) = bytes.split_first_chunk::<HEADER>() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes([a, b, c, d]) as usize;
    if length > LONGEST {
        return Err(Error::new(
            Code::InvalidArgument,
            format!("a frame of {length} bytes; {LONGEST} is the most"),
        ));
    }
    Ok(rest
        .get(..length)
        .map(|payload| (channel, payload, HEADER + length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut bytes = header(STDOUT, 3).to_vec();
        bytes.extend(b"abcdef");
        assert_eq!(parse(&bytes).unwrap(), Some((STDOUT, &b"abc"[..], 8)));
    }

    #[test]
    fn a_part_of_a_frame_is_not_a_frame() {
        let mut bytes = header(STDIN, 4).to_vec();
        bytes.extend(b"abc");
        (0..bytes.len()).for_each(|end| assert_eq!(parse(&bytes[..end]).unwrap(), None));
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_it_is_read() {
        assert_eq!(
            parse(&[0, 16, 0, 1, 0]).unwrap_err().code,
            Code::InvalidArgument
        );
        assert_eq!(parse(&[0, 16, 0, 0, 0]).unwrap(), None);
    }
}
