//! How the core's types are written in scenarios and traces.

/// A type that has `Display` and `FromStr`, as its text.
pub(crate) mod text {
    use core::fmt::Display;
    use core::str::FromStr;

    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T, D>(d: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = String::deserialize(d)?;
        text.parse().map_err(|error| D::Error::custom(format_args!("{text:?}: {error}")))
    }
}

/// The same, where it may be absent.
pub(crate) mod optional_text {
    use core::fmt::Display;
    use core::str::FromStr;

    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde passes it so")]
    pub(crate) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(ToString::to_string).serialize(s)
    }

    pub(crate) fn deserialize<'de, T, D>(d: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = Option::<String>::deserialize(d)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}

/// Rules of the sharding protocol, by their names.
pub(crate) mod rules {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};
    use tenure::sharding::Rule;

    pub(crate) fn serialize<S: Serializer>(rules: &[Rule], s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(rules.iter().map(|rule| rule.name()))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Rule>, D::Error> {
        let known = |name: String| {
            let rule = Rule::ALL.into_iter().find(|rule| rule.name() == name);
            rule.ok_or_else(|| {
                let all = Rule::ALL.map(Rule::name).join(", ");
                D::Error::custom(format_args!("{name:?} is no rule: use {all}"))
            })
        };
        Vec::<String>::deserialize(d)?.into_iter().map(known).collect()
    }
}

/// An identity, as its text.
pub(crate) mod identity {
    use serde::{Deserialize, Deserializer, Serializer};
    use tenure::lock::Identity;

    pub(crate) fn serialize<S: Serializer>(value: &Identity, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(value.as_str())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Identity, D::Error> {
        String::deserialize(d).map(Identity::from)
    }
}

/// The name of a kind, as it is written.
pub(crate) const fn kind_name(kind: tenure::lock::Kind) -> &'static str {
    match kind {
        tenure::lock::Kind::Lease => "lease",
        tenure::lock::Kind::ConfigMap => "config-map",
        tenure::lock::Kind::Endpoints => "endpoints",
    }
}

/// The kind of an object, where it may be absent.
pub(crate) mod optional_kind {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use tenure::lock::Kind;

    #[derive(Serialize, Deserialize)]
    struct Form(#[serde(with = "super::kind")] Kind);

    #[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
    pub(crate) fn serialize<S: Serializer>(value: &Option<Kind>, s: S) -> Result<S::Ok, S::Error> {
        value.map(Form).serialize(s)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Kind>, D::Error> {
        Ok(Option::<Form>::deserialize(d)?.map(|form| form.0))
    }
}

/// A record; times as nanoseconds since 1970, which before 1677 and after 2262 need more than 64 bits.
pub(crate) mod record {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use tenure::lock::{Identity, Record};
    use tenure::time::Timestamp;

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Form {
        #[serde(with = "super::identity")]
        holder: Identity,
        lease_duration_seconds: i64,
        acquire_time_nanos: Option<i128>,
        renew_time_nanos: Option<i128>,
        leader_transitions: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        strategy: Option<Arc<str>>,
        #[serde(default, skip_serializing_if = "Identity::is_empty", with = "super::identity")]
        preferred_holder: Identity,
    }

    impl From<&Record> for Form {
        fn from(record: &Record) -> Self {
            Self {
                holder: record.holder.clone(),
                lease_duration_seconds: record.lease_duration_seconds,
                acquire_time_nanos: record.acquire_time.map(Timestamp::unix_nanos),
                renew_time_nanos: record.renew_time.map(Timestamp::unix_nanos),
                leader_transitions: record.leader_transitions,
                strategy: record.strategy.clone(),
                preferred_holder: record.preferred_holder.clone(),
            }
        }
    }

    impl From<Form> for Record {
        fn from(form: Form) -> Self {
            Self {
                holder: form.holder,
                lease_duration_seconds: form.lease_duration_seconds,
                acquire_time: form.acquire_time_nanos.map(Timestamp::from_unix_nanos),
                renew_time: form.renew_time_nanos.map(Timestamp::from_unix_nanos),
                leader_transitions: form.leader_transitions,
                strategy: form.strategy,
                preferred_holder: form.preferred_holder,
            }
        }
    }

    pub(crate) fn serialize<S: Serializer>(value: &Record, s: S) -> Result<S::Ok, S::Error> {
        Form::from(value).serialize(s)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Record, D::Error> {
        Form::deserialize(d).map(Record::from)
    }
}

/// The same, where it may be absent.
pub(crate) mod optional_record {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use tenure::lock::Record;

    use super::record::Form;

    #[expect(clippy::ref_option, reason = "serde passes it so")]
    pub(crate) fn serialize<S: Serializer>(
        value: &Option<Record>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(Form::from).serialize(s)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Record>, D::Error> {
        Ok(Option::<Form>::deserialize(d)?.map(Record::from))
    }
}

/// How the name of an object's kind is written, for the schema.
#[derive(schemars::JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
#[expect(dead_code, reason = "it is only described")]
pub(crate) enum KindName {
    Lease,
    ConfigMap,
    Endpoints,
}

/// The same of what a missing lock means.
#[derive(schemars::JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
#[expect(dead_code, reason = "it is only described")]
pub(crate) enum MissingName {
    Wait,
    NewGroup,
}

/// An enum of the core whose variants carry nothing, by a table of names.
macro_rules! names {
    ($module:ident, $type:ty, $($variant:path => $name:literal),+ $(,)?) => {
        pub(crate) mod $module {
            use serde::de::Error as _;
            use serde::{Deserialize, Deserializer, Serializer};

            pub(crate) fn serialize<S: Serializer>(value: &$type, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(match value { $($variant => $name),+ })
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<$type, D::Error> {
                let text = String::deserialize(d)?;
                match text.as_str() {
                    $($name => Ok($variant),)+
                    _ => Err(D::Error::unknown_variant(&text, &[$($name),+])),
                }
            }
        }
    };
}

names!(failure, tenure::election::Failure,
    tenure::election::Failure::NotFound => "not-found",
    tenure::election::Failure::AlreadyExists => "already-exists",
    tenure::election::Failure::Conflict => "conflict",
    tenure::election::Failure::Other => "other",
);
names!(cause, tenure::election::Cause,
    tenure::election::Cause::Stopped => "stopped",
    tenure::election::Cause::Expired => "expired",
    tenure::election::Cause::Preempted => "preempted",
    tenure::election::Cause::Deleted => "deleted",
    tenure::election::Cause::HandedOver => "handed-over",
);
names!(kind, tenure::lock::Kind,
    tenure::lock::Kind::Lease => "lease",
    tenure::lock::Kind::ConfigMap => "config-map",
    tenure::lock::Kind::Endpoints => "endpoints",
);
names!(missing, tenure::election::Missing,
    tenure::election::Missing::Wait => "wait",
    tenure::election::Missing::NewGroup => "new-group",
);
