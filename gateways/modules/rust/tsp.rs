//! The travelling salesman by trying every route: `tsp N` for N cities that are the same each time; and what no broker wants:
//! `tsp fail`, `tsp loop`, `tsp flood`, `tsp grow`.

use std::io::{stdout, Write};
use std::process::exit;

/// Cities on a grid of 1000 by 1000, by a linear congruential generator.
fn cities(count: usize) -> Vec<(f64, f64)> {
    let mut state: u32 = 2_463_534_242;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 16) / 65.536
    };
    (0..count).map(|_| (next(), next())).collect()
}

fn length(cities: &[(f64, f64)], route: &[usize]) -> f64 {
    let mut sum = 0.0;
    for (at, &from) in route.iter().enumerate() {
        let (a, b) = (cities[from], cities[route[(at + 1) % route.len()]]);
        sum += ((a.0 - b.0).powi(2) + (a.1 - b.1).powi(2)).sqrt();
    }
    sum
}

/// Every permutation, by Heap's algorithm.
fn best(cities: &[(f64, f64)]) -> (f64, Vec<usize>) {
    let count = cities.len();
    let mut route: Vec<usize> = (0..count).collect();
    let mut shortest = (length(cities, &route), route.clone());
    let mut turns = vec![0; count];
    let mut at = 0;
    while at < count {
        if turns[at] < at {
            route.swap(if at % 2 == 0 { 0 } else { turns[at] }, at);
            let found = length(cities, &route);
            if found < shortest.0 {
                shortest = (found, route.clone());
            }
            turns[at] += 1;
            at = 0;
        } else {
            turns[at] = 0;
            at += 1;
        }
    }
    shortest
}

fn main() {
    let word = std::env::args().nth(1).unwrap_or_default();
    match word.as_str() {
        "fail" => panic!("as asked"),
        "loop" => loop {
            std::hint::spin_loop();
        },
        "flood" => loop {
            if stdout().write_all(&[b'x'; 65_536]).is_err() {
                exit(1);
            }
        },
        "grow" => {
            let mut all: Vec<Vec<u8>> = Vec::new();
            loop {
                all.push(vec![1; 1 << 20]);
            }
        }
        _ => match word.parse::<usize>() {
            Ok(count) if (2..=12).contains(&count) => {
                let (distance, route) = best(&cities(count));
                println!("{distance:.3} {route:?}");
            }
            _ => {
                eprintln!("write tsp N with N from 2 to 12, or fail, loop, flood, grow");
                exit(2);
            }
        },
    }
}
