//! What a device is asked to do: three works by name, on an argument of any length. The module and the native program that
//! it is held against are made of this same source, so that what differs is how the work is called and who compiled it.

use super::json::{write_string, Json};

/// Writes what becomes of `argument`, behind what `out` holds.
pub type Work = fn(argument: &[u8], amount: u32, out: &mut Vec<u8>);

pub const WORKS: [(&str, Work); 4] = [("nothing", nothing), ("hello", hello), ("sha256", sha256), ("network", network)];

pub fn work(name: &[u8]) -> Option<Work> {
    WORKS.iter().find(|(each, _)| each.as_bytes() == name).map(|(_, work)| *work)
}

/// What a call costs that does no work.
pub fn nothing(_argument: &[u8], _amount: u32, _out: &mut Vec<u8>) {}

pub fn hello(argument: &[u8], _amount: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(b"hello, ");
    out.extend_from_slice(argument);
}

/// The SHA-256 of the argument, then of that digest, `amount` in all; the last one in lower-case hex.
pub fn sha256(argument: &[u8], amount: u32, out: &mut Vec<u8>) {
    let mut digest = digest_of(argument);
    for _ in 1..amount {
        digest = digest_of(&digest);
    }
    for byte in digest {
        push_hex(out, u32::from(byte), 2);
    }
}

fn push_hex(out: &mut Vec<u8>, value: u32, digits: u32) {
    for place in (0..digits).rev() {
        out.push(b"0123456789abcdef"[(value >> (4 * place)) as usize & 15]);
    }
}

/// `{"work": NAME, "argument": TEXT, "amount": N}` gives `{"output": TEXT}`; anything else gives nothing.
pub fn answer(request: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut json = Json::new(request);
    let (mut asked, mut argument, mut amount) = (None, None, 1);
    json.object(|json, key| {
        match key.as_slice() {
            b"work" => asked = Some(json.string()?),
            b"argument" => argument = Some(json.string()?),
            b"amount" => amount = number(json)?,
            _ => json.skip(8)?,
        }
        Some(())
    })?;
    json.end()?;
    let mut output = Vec::new();
    work(&asked?)?(&argument?, amount, &mut output);
    out.extend_from_slice(b"{\"output\":");
    write_string(out, &output);
    out.push(b'}');
    Some(())
}

fn number(json: &mut Json) -> Option<u32> {
    json.space();
    let mut number: Option<u32> = None;
    while let Some(digit) = json.peek().filter(u8::is_ascii_digit) {
        json.next()?;
        number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(u32::from(digit - b'0'))?);
    }
    number
}

// ---- SHA-256 (FIPS 180-4)

const START: [u32; 8] =
    [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

#[rustfmt::skip]
const ROUNDS: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

const BLOCK: usize = 64;

fn digest_of(bytes: &[u8]) -> [u8; 32] {
    let mut state = START;
    let mut blocks = bytes.chunks_exact(BLOCK);
    for block in &mut blocks {
        compress(&mut state, block);
    }
    let rest = blocks.remainder();
    let mut last = [0; 2 * BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    last[rest.len()] = 0x80;
    let length = if rest.len() + 9 > BLOCK { 2 * BLOCK } else { BLOCK };
    last[length - 8..length].copy_from_slice(&(bytes.len() as u64 * 8).to_be_bytes());
    for block in last[..length].chunks_exact(BLOCK) {
        compress(&mut state, block);
    }
    let mut digest = [0; 32];
    for (place, word) in digest.chunks_exact_mut(4).zip(state) {
        place.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

fn compress(state: &mut [u32; 8], block: &[u8]) {
    let mut words = [0u32; 64];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    for at in 16..64 {
        let (early, late) = (words[at - 15], words[at - 2]);
        let low = early.rotate_right(7) ^ early.rotate_right(18) ^ (early >> 3);
        let high = late.rotate_right(17) ^ late.rotate_right(19) ^ (late >> 10);
        words[at] = words[at - 16].wrapping_add(low).wrapping_add(words[at - 7]).wrapping_add(high);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (round, word) in ROUNDS.iter().zip(words) {
        let choice = (e & f) ^ (!e & g);
        let mixed = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let first = h.wrapping_add(mixed).wrapping_add(choice).wrapping_add(*round).wrapping_add(word);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        let second = (a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22)).wrapping_add(majority);
        h = g;
        g = f;
        f = e;
        e = d.wrapping_add(first);
        d = c;
        c = b;
        b = a;
        a = first.wrapping_add(second);
    }
    for (place, value) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *place = place.wrapping_add(value);
    }
}

// ---- a small convolutional network: 28 x 28 -> 3 x 3 x 8 -> pool -> 3 x 3 x 16 -> pool -> 10 classes

const SIDE: usize = 28;
const FIRST: usize = 8;
const SECOND: usize = 16;
const CLASSES: usize = 10;
const KERNEL: usize = 3;
/// Sides after the first convolution and its pooling, and after the second ones.
const POOLED: usize = (SIDE - KERNEL + 1) / 2;
const POOLED_AGAIN: usize = (POOLED - KERNEL + 1) / 2;

const FIRST_WEIGHTS: usize = FIRST * KERNEL * KERNEL;
const SECOND_WEIGHTS: usize = SECOND * FIRST * KERNEL * KERNEL;
const DENSE_WEIGHTS: usize = CLASSES * SECOND * POOLED_AGAIN * POOLED_AGAIN;
const ALL_WEIGHTS: usize = FIRST_WEIGHTS + SECOND_WEIGHTS + DENSE_WEIGHTS;

/// Of no training: what they are does not matter to what the arithmetic costs. 64ths of 1.
static WEIGHTS: [i8; ALL_WEIGHTS] = weights();

const fn weights() -> [i8; ALL_WEIGHTS] {
    let mut all = [0; ALL_WEIGHTS];
    let mut state = 0x2545_f491_u32;
    let mut at = 0;
    while at < ALL_WEIGHTS {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        all[at] = (state >> 24) as u8 as i8 / 4;
        at += 1;
    }
    all
}

/// Maps of `channels`, `side` by `side`, convolved to `maps` ones, what is below 0 cut off, and the largest of each two by
/// two taken.
fn convolved(input: &[f32], channels: usize, side: usize, weights: &[i8], maps: usize) -> Vec<f32> {
    let reach = side - KERNEL + 1;
    let pooled = reach / 2;
    let mut output = vec![0.0f32; maps * pooled * pooled];
    for (map, weights) in weights.chunks_exact(channels * KERNEL * KERNEL).enumerate().take(maps) {
        let kernel: Vec<f32> = weights.iter().map(|&weight| f32::from(weight) / 64.0).collect();
        for row in 0..2 * pooled {
            for column in 0..2 * pooled {
                let mut sum = 0.0f32;
                for channel in 0..channels {
                    for y in 0..KERNEL {
                        let from = (channel * side + row + y) * side + column;
                        let line = &input[from..from + KERNEL];
                        let place = (channel * KERNEL + y) * KERNEL;
                        let factors = &kernel[place..place + KERNEL];
                        sum += line[0] * factors[0];
                        sum += line[1] * factors[1];
                        sum += line[2] * factors[2];
                    }
                }
                let place = &mut output[(map * pooled + row / 2) * pooled + column / 2];
                if sum > *place {
                    *place = sum;
                }
            }
        }
    }
    output
}

/// `amount` inferences. The image is the argument, over and over; each further one begins a byte later. The likeliest class
/// of the last one, and the bits of all its scores: every engine has to have the same.
pub fn network(argument: &[u8], amount: u32, out: &mut Vec<u8>) {
    let mut scores = [0.0f32; CLASSES];
    for inference in 0..amount.max(1) as usize {
        let pixel = |at: usize| match argument.len() {
            0 => 0.0,
            length => f32::from(argument[(at + inference) % length]) / 255.0,
        };
        let image: Vec<f32> = (0..SIDE * SIDE).map(pixel).collect();
        let (first, rest) = WEIGHTS.split_at(FIRST_WEIGHTS);
        let (second, dense) = rest.split_at(SECOND_WEIGHTS);
        let maps = convolved(&image, 1, SIDE, first, FIRST);
        let maps = convolved(&maps, FIRST, POOLED, second, SECOND);
        for (score, weights) in scores.iter_mut().zip(dense.chunks_exact(maps.len())) {
            *score = 0.0;
            for (value, &weight) in maps.iter().zip(weights) {
                *score += value * (f32::from(weight) / 64.0);
            }
        }
    }
    let mut best = 0;
    for class in 1..CLASSES {
        if scores[class] > scores[best] {
            best = class;
        }
    }
    out.push(b'0' + best as u8);
    for score in scores {
        out.push(b' ');
        push_hex(out, score.to_bits(), 8);
    }
}
