//! Settings as an account stores them: what differs from the defaults, and what only a newer version understands.

use serde_json::{Map, Value};

use super::Settings;

impl Settings {
    /// Reads what an account stores. What this version does not understand, a setting it does not know or a value it cannot
    /// read, counts as not set and is kept for the version that wrote it.
    #[must_use]
    pub fn from_stored(stored: Map<String, Value>) -> Settings {
        let is_read = |key: &String, value: &Value| {
            let alone: Map<String, Value> = [(key.clone(), value.clone())].into_iter().collect();
            serde_json::from_value::<Settings>(Value::Object(alone)).is_ok()
        };
        let (own, foreign): (Map<_, _>, Map<_, _>) =
            stored.into_iter().partition(|(key, value)| is_read(key, value));
        // Each was read by itself.
        let settings: Settings = serde_json::from_value(Value::Object(own)).unwrap_or_default();
        Settings { foreign, ..settings }
    }

    /// What an account is to store: nothing that is as by default, so that a default may change, and everything that this
    /// version did not understand.
    ///
    /// # Errors
    /// Never in practice: settings are plain values.
    pub fn to_stored(&self) -> Result<Map<String, Value>, serde_json::Error> {
        let defaults = as_map(&Settings::default())?;
        let mut stored = as_map(self)?;
        stored.retain(|key, value| defaults.get(key) != Some(value));
        for (key, value) in &self.foreign {
            stored.entry(key.clone()).or_insert_with(|| value.clone());
        }
        Ok(stored)
    }

    /// The settings with one of them changed, as a person asks for it; [`Settings::check`] has the last word.
    ///
    /// # Errors
    /// When there is no such setting, or its value is of another form.
    pub fn with(&self, key: &str, value: Value) -> Result<Settings, serde_json::Error> {
        let mut all = as_map(self)?;
        all.insert(key.to_owned(), value);
        let changed: Settings = serde_json::from_value(Value::Object(all))?;
        let mut foreign = self.foreign.clone();
        foreign.remove(key);
        Ok(Settings { foreign, ..changed })
    }
}

fn as_map(settings: &Settings) -> Result<Map<String, Value>, serde_json::Error> {
    serde_json::to_value(settings).and_then(serde_json::from_value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::authentication::AuthenticationMode;

    fn stored(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn only_what_differs_from_the_defaults_is_stored() {
        assert_eq!(Settings::default().to_stored().unwrap(), Map::new());
        let settings = Settings { wildcard: true, languages: "fr".into(), ..Settings::default() };
        assert_eq!(settings.to_stored().unwrap(), stored(json!({"wildcard": true, "languages": "fr"})));
        assert_eq!(Settings::from_stored(settings.to_stored().unwrap()), settings);
    }

    #[test]
    fn what_a_newer_version_set_outlives_a_change_by_this_one() {
        let newer =
            stored(json!({"wildcard": true, "mood": {"kind": "calm"}, "sender_authentication": "strict"}));
        let settings = Settings::from_stored(newer);
        assert!(settings.wildcard);
        assert_eq!(settings.sender_authentication, AuthenticationMode::Minimal, "as if it were not set");

        let changed =
            settings.with("wildcard", json!(false)).unwrap().with("acknowledge", json!(false)).unwrap();
        let want = json!({"acknowledge": false, "mood": {"kind": "calm"}, "sender_authentication": "strict"});
        assert_eq!(changed.to_stored().unwrap(), stored(want));
    }

    #[test]
    fn a_value_that_could_not_be_read_is_replaced_once_somebody_sets_it() {
        let settings = Settings::from_stored(stored(json!({"sender_authentication": "strict"})));
        let native = settings.with("sender_authentication", json!("native")).unwrap();
        assert_eq!(native.to_stored().unwrap(), stored(json!({"sender_authentication": "native"})));
        let default = settings.with("sender_authentication", json!("minimal")).unwrap();
        assert_eq!(default.to_stored().unwrap(), Map::new());
    }

    #[test]
    fn a_person_is_refused_what_the_database_may_hold() {
        let settings = Settings::default();
        assert!(settings.with("mood", json!("calm")).is_err());
        assert!(settings.with("sender_authentication", json!("strict")).is_err());
        assert!(settings.with("addresses_max", json!(-1)).is_err());
    }
}
