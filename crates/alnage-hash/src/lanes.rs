//! Keeping lanes full: which blocks of which stream are compressed together.

use crate::{
    Block, State,
    kernel::{LANES, LaneStates, Narrow, Wide},
    stream::Work,
};

/// Blocks of a pair after which the pair is chosen anew, so that all streams end at about the same time.
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

/// Compresses everything with `kernel`, two at a time where that is faster.
pub(crate) fn narrow(kernel: Narrow, works: &mut [Work<'_>]) {
    // The last two have nobody to wait for.
    let turn = if works.len() == 2 { usize::MAX } else { TURN };
    while kernel.pairs()
        && let Some([first, second]) = longest_two(works)
    {
        let step = first.blocks().len().min(second.blocks().len()).min(turn);
        let mut states = [first.stream.state, second.stream.state];
        let [one, other] = &mut states;
        kernel.compress_pair([one, other], [&first.blocks()[..step], &second.blocks()[..step]]);
        for (work, state) in [first, second].into_iter().zip(states) {
            work.stream.state = state;
            work.advance(step);
        }
    }
    for work in works {
        while work.left() > 0 {
            let step = work.blocks().len();
            let mut state = work.stream.state;
            kernel.compress(&mut state, work.blocks());
            work.stream.state = state;
            work.advance(step);
        }
    }
}

/// The two pieces of which most is left; none when fewer than two have anything left.
fn longest_two<'w, 'a>(works: &'w mut [Work<'a>]) -> Option<[&'w mut Work<'a>; 2]> {
    let (mut first, mut second) = (None, None);
    for (index, work) in works.iter().enumerate() {
        let left = work.left();
        if left > first.map_or(0, |(_, left)| left) {
            second = first.replace((index, left));
        } else if left > second.map_or(0, |(_, left)| left) {
            second = Some((index, left));
        }
    }
    works.get_disjoint_mut([first?.0, second?.0]).ok()
}
