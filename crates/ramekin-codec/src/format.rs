#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Identity,
    Gzip,
    Zstd,
}

impl Format {
    /// As the media type of a layer says; `None` when it says nothing (a bare `…tar` may still be compressed: some tools
    /// mislabel, so `detect` has the last word there).
    pub fn of_media_type(media_type: &str) -> Option<Self> {
        let base = media_type.split(';').next().unwrap_or_default().trim_end();
        if base.ends_with("+gzip") || base.ends_with(".gzip") || base.ends_with(".tar.gz") {
            Some(Self::Gzip)
        } else if base.ends_with("+zstd") || base.ends_with(".zstd") {
            Some(Self::Zstd)
        } else {
            None
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        match name {
            "identity" => Some(Self::Identity),
            "gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// By magic number: RFC 1952 2.3.1, RFC 8878 3.1.1 and 3.1.2 (a skippable frame may come first).
    pub fn detect(first: &[u8]) -> Self {
        match first {
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::Identity,
        }
    }
}
