//! The object that carries a plan: a `ConfigMap` or a Lease, in an annotation.

use alloc::string::String;
use alloc::sync::Arc;
use core::{error, fmt};

use super::{NoPlan, Plan};
use crate::lock::Object;

/// The annotation that holds a plan.
///
/// ```
/// assert_eq!(tenure::sharding::planned::ANNOTATION, "tenure.dev/plan");
/// ```
pub const ANNOTATION: &str = "tenure.dev/plan";

/// How many bytes Kubernetes lets the annotations of an object have, names and values, all together
/// (`TotalAnnotationSizeLimitB` of apimachinery's `validation/objectmeta.go`).
///
/// ```
/// assert_eq!(tenure::sharding::planned::ANNOTATIONS_LIMIT, 262_144);
/// ```
pub const ANNOTATIONS_LIMIT: usize = 256 << 10;

impl Plan {
    /// Puts the plan into the annotation [`ANNOTATION`] of `object`, whatever it was; all others stay.
    ///
    /// # Errors
    /// The annotations would be larger than [`ANNOTATIONS_LIMIT`]; then `object` is as before.
    ///
    /// ```
    /// use tenure::lock::{Object, annotated::Annotated};
    /// use tenure::sharding::{Generation, Plan, Slots};
    /// let generation = Generation { number: 1, fingerprint: 0 };
    /// let plan = Plan::new(generation, Slots::new(2).unwrap(), [(2, Some("a".into()), 0)]).unwrap();
    /// let mut object = Object::ConfigMap(Annotated::default());
    /// assert_eq!(Plan::read_from(&object), Ok(None));
    /// plan.write_to(&mut object)?;
    /// assert_eq!(Plan::read_from(&object), Ok(Some(plan)));
    /// # Ok::<(), tenure::sharding::planned::TooLarge>(())
    /// ```
    pub fn write_to(&self, object: &mut Object) -> Result<(), TooLarge> {
        let text: String = self.to_text();
        let others =
            object.metadata().annotations.iter().filter(|(name, _)| ***name != *ANNOTATION);
        let others: usize = others.map(|(name, value)| name.len() + value.len()).sum();
        let needed = others + ANNOTATION.len() + text.len();
        if needed > ANNOTATIONS_LIMIT {
            return Err(TooLarge { needed, limit: ANNOTATIONS_LIMIT });
        }
        let metadata = Arc::make_mut(object.metadata_mut());
        metadata.annotations.insert(ANNOTATION.into(), text.into());
        Ok(())
    }

    /// The plan that `object` carries, if it carries one.
    ///
    /// # Errors
    /// The annotation is no plan.
    pub fn read_from(object: &Object) -> Result<Option<Self>, NoPlan> {
        object.metadata().annotations.get(ANNOTATION).map(|text| text.parse()).transpose()
    }
}

/// A plan is larger than its place.
///
/// ```
/// use tenure::sharding::planned::TooLarge;
/// let error = TooLarge { needed: 300_000, limit: 262_144 };
/// assert!(error.to_string().starts_with("the plan needs 300000 bytes, and 262144 are allowed: "));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TooLarge {
    /// How many bytes it needs.
    pub needed: usize,
    /// How many there may be.
    pub limit: usize,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { needed, limit } = self;
        write!(
            f,
            "the plan needs {needed} bytes, and {limit} are allowed: take fewer slots, shorter names \
             of members, or contiguous ranges"
        )
    }
}

impl error::Error for TooLarge {}
