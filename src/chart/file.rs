//! Files that a template puts into a value.

use minijinja::{Environment, Error, ErrorKind, Value};

use super::escape;

/// Renders the file `name` from this source, and checks the whole text.
pub fn render(
    environment: &Environment<'_>,
    name: &str,
    source: &str,
    context: &Value,
) -> Result<String, Error> {
    let text = if is_template(source) {
        environment.get_template(name)?.render(context.clone())?
    } else {
        source.to_owned()
    };
    escape::check_text(name, &text)
        .map_err(|message| Error::new(ErrorKind::InvalidOperation, message))?;
    Ok(text)
}

/// Whether rendering a text could change it.
fn is_template(source: &str) -> bool {
    let mut delimiters = ["{{", "{%", "{#"].iter();
    delimiters.any(|delimiter| source.contains(delimiter))
}
