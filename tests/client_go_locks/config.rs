//! What of a lock a configuration may say.

use tenure::election::{Config, ConfigError, Elector, Profile, Release};
use tenure::lock::{Kind, LockRef};
use tenure::time::Instant;

fn refused(change: impl FnOnce(&mut Config)) -> Option<ConfigError> {
    let mut config = Config {
        profile: Profile::ClientGo(Release::Head),
        ..Config::new(LockRef::lease("foo", "bar"), "baz", "1")
    };
    change(&mut config);
    Elector::new(config, 0, Instant::default()).err()
}

/// Whatever client-go's constructor of that time still made.
#[test]
fn any_kind_goes_with_any_release() {
    for release in Release::ALL {
        for kind in [Kind::Lease, Kind::ConfigMap, Kind::Endpoints] {
            let other = if kind == Kind::Lease { Kind::ConfigMap } else { Kind::Lease };
            for secondary in [None, Some(other)] {
                let made = refused(|config| {
                    config.profile = Profile::ClientGo(release);
                    config.lock.kind = kind;
                    let lock = config.lock.clone();
                    config.secondary = secondary.map(|kind| LockRef { kind, ..lock });
                });
                assert_eq!(made, None, "{release:?} {kind} {secondary:?}");
            }
        }
    }
}

#[test]
fn a_secondary_is_another_object_with_a_name() {
    let same = refused(|config| config.secondary = Some(config.lock.clone()));
    assert_eq!(same, Some(ConfigError::SecondarySame));
    let unnamed = refused(|config| config.secondary = Some(LockRef::lease("foo", "")));
    assert_eq!(unnamed, Some(ConfigError::SecondaryUnnamed));
    let text = ConfigError::SecondarySame.to_string();
    assert!(text.starts_with("secondary is the same object as lock: "), "{text}");
    let named = refused(|config| config.secondary = Some(LockRef::lease("foo", "other")));
    assert_eq!(named, None);
}

#[test]
fn who_knows_coordinated_election() {
    for release in Release::ALL {
        let profile = Profile::ClientGo(release);
        let error = refused(|config| (config.coordinated, config.profile) = (true, profile));
        let expected = ConfigError::NotCoordinated { profile };
        let expected = Some(expected).filter(|_| release < Release::V1_31);
        assert_eq!(error, expected, "{release:?}");
    }
    let profile = Profile::Strict;
    let error = refused(|config| (config.coordinated, config.profile) = (true, profile)).unwrap();
    assert_eq!(error, ConfigError::NotCoordinated { profile });
    assert_eq!(
        error.to_string(),
        "coordinated is true, which profile strict does not know: \
         set it to false, or profile to client-go-v1.31 or later"
    );
}

/// Up to 1.27 client-go took it; to every release here it means nobody.
#[test]
fn an_empty_identity_is_nobodys() {
    for release in Release::ALL {
        let error = refused(|config| {
            config.profile = Profile::ClientGo(release);
            config.identity = "".into();
        });
        assert_eq!(error, Some(ConfigError::IdentityEmpty));
    }
}
