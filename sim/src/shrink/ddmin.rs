//! Delta debugging.

/// The items without which `fails` no longer holds: none of them can be left out alone. `fails` holds of
/// all items, and is not asked again.
pub(super) fn ddmin<T: Clone>(mut items: Vec<T>, mut fails: impl FnMut(&[T]) -> bool) -> Vec<T> {
    if !items.is_empty() && fails(&[]) {
        return Vec::new();
    }
    let mut parts = 2;
    while items.len() > 1 {
        let size = items.len().div_ceil(parts);
        // One part alone, else all but one part.
        let alone = items.chunks(size).find(|part| fails(part)).map(<[T]>::to_vec);
        if let Some(part) = alone {
            (items, parts) = (part, 2);
            continue;
        }
        let without = |nth: usize| {
            let rest = items.chunks(size).enumerate().filter(|(other, _)| *other != nth);
            rest.flat_map(|(_, part)| part.iter().cloned()).collect::<Vec<T>>()
        };
        let count = items.len().div_ceil(size);
        let rest = (0..count).map(without).find(|rest| rest.len() < items.len() && fails(rest));
        if let Some(rest) = rest {
            (items, parts) = (rest, (parts - 1).max(2));
        } else if size == 1 {
            break;
        } else {
            parts = (parts * 2).min(items.len());
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_is_left_wherever_it_stands() {
        for wanted in [&[][..], &[0], &[44], &[3, 17], &[0, 22, 44], &[1, 2, 3, 4]] {
            let mut asked = 0;
            let few = ddmin((0..45).collect(), |few| {
                asked += 1;
                wanted.iter().all(|item| few.contains(item))
            });
            assert_eq!(few, wanted);
            assert!(asked < 100, "{asked}");
        }
    }
}
