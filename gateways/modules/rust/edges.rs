//! Edges of an image: `edges FILE` reads a binary PGM of one byte a pixel and writes one as large to stdout, in which each
//! pixel is how steep the brightness is there (Sobel's operator; the rim is black).

use std::io::{stdout, Write};
use std::process::exit;

struct Image {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

/// Most pixels of an image.
const MOST: usize = 1 << 26;

/// `P5`, width, height and 255, white space between them and one such byte behind; what follows are the pixels.
fn parsed(bytes: &[u8]) -> Option<Image> {
    let mut at = 0;
    let mut word = || {
        while bytes.get(at)?.is_ascii_whitespace() {
            at += 1;
        }
        let begin = at;
        while !bytes.get(at)?.is_ascii_whitespace() {
            at += 1;
        }
        std::str::from_utf8(&bytes[begin..at]).ok()
    };
    let magic = word()?;
    let width: usize = word()?.parse().ok()?;
    let height: usize = word()?.parse().ok()?;
    let most = word()?;
    let count = width.checked_mul(height).filter(|count| *count <= MOST)?;
    let pixels = bytes.get(at + 1..at + 1 + count)?.to_vec();
    (magic == "P5" && most == "255").then_some(Image { width, height, pixels })
}

fn edges(image: &Image) -> Vec<u8> {
    let Image { width, height, pixels } = image;
    let mut steep = vec![0; pixels.len()];
    for y in 1..height.saturating_sub(1) {
        for x in 1..width.saturating_sub(1) {
            let here = |right: usize, down: usize| i32::from(pixels[(y + down - 1) * width + x + right - 1]);
            let across = here(2, 0) + 2 * here(2, 1) + here(2, 2) - here(0, 0) - 2 * here(0, 1) - here(0, 2);
            let down = here(0, 2) + 2 * here(1, 2) + here(2, 2) - here(0, 0) - 2 * here(1, 0) - here(2, 0);
            steep[y * width + x] = (across.abs() + down.abs()).min(255) as u8;
        }
    }
    steep
}

fn fail(reason: &str) -> ! {
    eprintln!("edges: {reason}");
    exit(2)
}

fn main() {
    let file = std::env::args().nth(1).unwrap_or_else(|| fail("write edges FILE"));
    let bytes = std::fs::read(&file).unwrap_or_else(|error| fail(&format!("{file} cannot be read: {error}")));
    let image = parsed(&bytes).unwrap_or_else(|| fail(&format!("{file} is no binary PGM of one byte a pixel")));
    let mut out = format!("P5\n{} {}\n255\n", image.width, image.height).into_bytes();
    out.extend(edges(&image));
    if stdout().write_all(&out).is_err() {
        exit(1);
    }
}
