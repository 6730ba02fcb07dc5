//! Keeping lanes full: which blocks of which stream are compressed together.

use crate::{
    Block, State,
    kernel::{FEW, LANES, LaneStates, Narrow, Wide},
    stream::Work,
};

/// Blocks after which a few streams are chosen anew, so that all end at about the same time.
const TURN: usize = 64;

/// Compresses with `kernel` until fewer than `least` pieces are left.
pub(crate) fn wide(kernel: Wide, least: usize, works: &mut [Work<'_>]) {
    // The longest first: the short ones then pass through the lanes beside them.
    works.sort_by_key(|work| std::cmp::Reverse(work.left()));
    let mut states = LaneStates([[0; LANES]; 8]);
    let mut lanes: [Option<usize>; LANES] = [None; LANES];
    let mut waiting = 0..works.len();
    loop {
        for (lane, taken) in lanes.iter_mut().enumerate().take(kernel.lanes) {
            if taken.is_none()
                && let Some(index) = waiting.next()
            {
                *taken = Some(index);
                put(&mut states, lane, &works[index].stream.state);
            }
        }
        let active = lanes.iter().flatten().count();
        if active == 0 || active + waiting.len() < least {
            break;
        }
        let step = lanes.iter().flatten().map(|&index| works[index].blocks().len()).min().unwrap_or(0);
        // A lane without a stream computes what another lane does, and nobody looks at it.
        let spare = lanes.iter().flatten().next().copied().unwrap_or(0);
        let blocks: [&[Block]; LANES] =
            std::array::from_fn(|lane| &works[lanes[lane].unwrap_or(spare)].blocks()[..step]);
        kernel.compress(&mut states, &blocks);
        for (lane, taken) in lanes.iter_mut().enumerate() {
            let Some(index) = *taken else { continue };
            works[index].advance(step);
            if works[index].left() == 0 {
                works[index].stream.state = get(&states, lane);
                *taken = None;
            }
        }
    }
    for (lane, taken) in lanes.iter().enumerate() {
        if let Some(index) = *taken {
            works[index].stream.state = get(&states, lane);
        }
    }
}

fn put(states: &mut LaneStates, lane: usize, state: &State) {
    states.0.iter_mut().zip(state).for_each(|(words, &word)| words[lane] = word);
}

fn get(states: &LaneStates, lane: usize) -> State {
    states.0.map(|words| words[lane])
}

/// Compresses everything with `kernel`, a few at a time where that is faster.
pub(crate) fn narrow(kernel: Narrow, works: &mut [Work<'_>]) {
    // The longest last, as they are taken from the end.
    let mut waiting: Vec<usize> = (0..works.len()).collect();
    waiting.sort_by_key(|&index| works[index].left());
    while !waiting.is_empty() {
        let mut taken = waiting.split_off(waiting.len().saturating_sub(kernel.streams()));
        // With nobody waiting there is nobody to change places with.
        let turn = if waiting.is_empty() { usize::MAX } else { TURN };
        let step = taken.iter().map(|&index| works[index].blocks().len()).min().unwrap_or(0).min(turn);
        match *taken {
            [a] => together(kernel, works, [a], step),
            [a, b] => together(kernel, works, [a, b], step),
            [a, b, c] => together(kernel, works, [a, b, c], step),
            [a, b, c, d] => together(kernel, works, [a, b, c, d], step),
            _ => break,
        }
        taken.retain(|&index| works[index].left() > 0);
        for index in taken {
            let place = waiting.partition_point(|&other| works[other].left() < works[index].left());
            waiting.insert(place, index);
        }
    }
}

fn together<const N: usize>(kernel: Narrow, works: &mut [Work<'_>], indices: [usize; N], step: usize) {
    const { assert!(N <= FEW) };
    let mut states = indices.map(|index| works[index].stream.state);
    kernel.compress(&mut states, &indices.map(|index| &works[index].blocks()[..step]));
    for (index, state) in indices.into_iter().zip(states) {
        works[index].stream.state = state;
        works[index].advance(step);
    }
}
