//! Logos: what an image is, by its own first bytes. Only PNG, JPEG and WebP; never SVG, which can hold
//! scripts, and never by the name or type that somebody says it has (attack A40).

/// Bytes of a logo at most.
pub const LOGO_MAX: usize = 65_536;
const SIDE_MAX: u32 = 512;
const SIDE_MIN: u32 = 32;

/// The media type of an image that may be a logo.
///
/// # Errors
/// A sentence that says what to change.
pub fn logo_type(bytes: &[u8]) -> Result<&'static str, &'static str> {
    if bytes.len() > LOGO_MAX {
        return Err("use an image of at most 64 KB");
    }
    let (media_type, size) = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        ("image/png", png(bytes))
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        ("image/jpeg", jpeg(bytes))
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        ("image/webp", webp(bytes))
    } else {
        return Err("use a PNG, JPEG or WebP image");
    };
    let (width, height) = size.ok_or("the image cannot be read: export it anew")?;
    let fits = |side: u32| (SIDE_MIN..=SIDE_MAX).contains(&side);
    if fits(width) && fits(height) { Ok(media_type) } else { Err("use an image of 32 to 512 pixels on each side") }
}

fn number<const N: usize>(bytes: &[u8], at: usize, big_endian: bool) -> Option<u32> {
    let part: &[u8; N] = bytes.get(at..)?.first_chunk()?;
    let add = |sum: u32, byte: &u8| sum << 8 | u32::from(*byte);
    Some(if big_endian { part.iter().fold(0, add) } else { part.iter().rev().fold(0, add) })
}

fn png(bytes: &[u8]) -> Option<(u32, u32)> {
    (bytes.get(12..16) == Some(b"IHDR")).then_some(())?;
    Some((number::<4>(bytes, 16, true)?, number::<4>(bytes, 20, true)?))
}

/// Walks the segments to the frame header (ITU T.81, B.2.2).
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2usize;
    loop {
        let marker = number::<2>(bytes, at, true)?;
        match marker {
            0xffc0..=0xffc3 | 0xffc5..=0xffc7 | 0xffc9..=0xffcb | 0xffcd..=0xffcf => {
                return Some((number::<2>(bytes, at + 7, true)?, number::<2>(bytes, at + 5, true)?));
            }
            0xff01..=0xfffe => at = at.checked_add(2)?.checked_add(number::<2>(bytes, at + 2, true)? as usize)?,
            _ => return None,
        }
    }
}

/// The three kinds of first chunk (WebP container specification).
fn webp(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes.get(12..16)? {
        b"VP8X" => Some((number::<3>(bytes, 24, false)? + 1, number::<3>(bytes, 27, false)? + 1)),
        b"VP8L" => {
            let bits = number::<4>(bytes, 21, false)?;
            Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        b"VP8 " => Some((number::<2>(bytes, 26, false)? & 0x3fff, number::<2>(bytes, 28, false)? & 0x3fff)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png_of(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend_from_slice(&width.to_be_bytes());
        bytes.extend_from_slice(&height.to_be_bytes());
        bytes
    }

    #[test]
    fn the_first_bytes_decide_what_an_image_is() {
        assert_eq!(logo_type(&png_of(64, 64)), Ok("image/png"));
        let jpeg = [b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08".as_slice(), &[0, 100, 0, 200]].concat();
        assert_eq!(logo_type(&jpeg), Ok("image/jpeg"));
        assert_eq!(super::jpeg(&jpeg), Some((200, 100)));
        let mut webp = b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0".to_vec();
        webp.extend_from_slice(&[63, 0, 0, 127, 0, 0]);
        assert_eq!(super::webp(&webp), Some((64, 128)));
        assert_eq!(logo_type(&webp), Ok("image/webp"));
    }

    #[test]
    fn what_is_no_fitting_image_is_refused() {
        for bad in [
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".to_vec(),
            b"GIF89a\x40\0\x40\0".to_vec(),
            Vec::new(),
            png_of(16, 64),
            png_of(64, 4096),
            b"\x89PNG\r\n\x1a\n".to_vec(),
            b"\xff\xd8\xff\xe0\xff\xff".to_vec(),
            b"\xff\xd8\xff".to_vec(),
            [png_of(64, 64), vec![0; LOGO_MAX]].concat(),
        ] {
            assert!(logo_type(&bad).is_err(), "{:?}", &bad[..bad.len().min(20)]);
        }
    }
}
