//! Bytes into lines. A line without an end is cut at 16 KiB, as Docker cuts it.

pub const LONGEST: usize = 16 << 10;

#[derive(Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Without the line break.
    pub bytes: &'a [u8],
    /// False: the line goes on in the next record.
    pub ended: bool,
}

#[derive(Debug, Default)]
pub struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    pub fn split(&mut self, mut bytes: &[u8], mut each: impl FnMut(Line<'_>)) {
        while !bytes.is_empty() {
            let room = LONGEST - self.begun.len();
            let window = &bytes[..bytes.len().min(room)];
            let (taken, skipped, ended) = match window.iter().position(|byte| *byte == b'\n') {
                Some(end) => (end, 1, true),
                None => (window.len(), 0, false),
            };
            let (part, rest) = bytes.split_at(taken);
            bytes = &rest[skipped..];
            if !ended && taken < room {
                self.begun.extend_from_slice(part);
            } else if self.begun.is_empty() {
                each(Line { bytes: part, ended });
            } else {
                self.begun.extend_from_slice(part);
                each(Line {
                    bytes: &std::mem::take(&mut self.begun),
                    ended,
                });
            }
        }
    }

    pub fn finish(&mut self, each: impl FnOnce(Line<'_>)) {
        if !self.begun.is_empty() {
            each(Line {
                bytes: &std::mem::take(&mut self.begun),
                ended: false,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(chunks: &[&[u8]]) -> Vec<(Vec<u8>, bool)> {
        let mut found = Vec::new();
        let mut lines = Lines::default();
        chunks.iter().for_each(|chunk| {
            lines.split(chunk, |line| found.push((line.bytes.to_vec(), line.ended)))
        });
        lines.finish(|line| found.push((line.bytes.to_vec(), line.ended)));
        found
    }

    #[test]
    fn lines_span_chunks_and_empty_ones_count() {
        assert_eq!(
            of(&[b"a\n\nb", b"c\n", b"d"]),
            [
                (b"a".to_vec(), true),
                (vec![], true),
                (b"bc".to_vec(), true),
                (b"d".to_vec(), false)
            ]
        );
    }

    #[test]
    fn a_long_line_is_cut_and_a_line_of_exactly_that_length_has_an_empty_end() {
        let long = vec![b'x'; LONGEST + 1];
        assert_eq!(
            of(&[&long]),
            [(vec![b'x'; LONGEST], false), (b"x".to_vec(), false)]
        );
        let exact = [vec![b'x'; LONGEST], b"\n".to_vec()].concat();
        assert_eq!(
            of(&[&exact]),
            [(vec![b'x'; LONGEST], false), (vec![], true)]
        );
    }

    #[test]
    fn chunks_of_any_size_give_the_same_lines() {
        let text: Vec<u8> = (0..50_000_u32)
            .map(|n| {
                if n % 9_973 == 0 {
                    b'\n'
                } else {
                    b'a' + (n % 26) as u8
                }
            })
            .collect();
        let whole = of(&[&text]);
        for size in [1, 7, 4096, 16_384, 16_385] {
            assert_eq!(of(&text.chunks(size).collect::<Vec<_>>()), whole);
        }
    }
}
