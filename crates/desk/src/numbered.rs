//! Enums that are a number in JSON, as existing clients know them.

/// Reads and writes a type with `ALL` and `number()` as that number: in JSON, and as the key of a JSON
/// object.
macro_rules! numbered {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_i64(self.number())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any($crate::numbered::Number).and_then(|number| {
                    let found = $name::ALL.iter().copied().find(|value| value.number() == number);
                    found.ok_or_else(|| serde::de::Error::custom(format_args!("{number} is not known")))
                })
            }
        }
    };
}
pub(crate) use numbered;

/// Reads a number, or a text of digits, as the key of an object is.
pub(crate) struct Number;

impl serde::de::Visitor<'_> for Number {
    type Value = i64;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number")
    }

    fn visit_i64<E>(self, number: i64) -> Result<i64, E> {
        Ok(number)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<i64, E> {
        number.try_into().map_err(E::custom)
    }

    fn visit_str<E: serde::de::Error>(self, digits: &str) -> Result<i64, E> {
        digits.parse().map_err(E::custom)
    }
}
