//! Endpoints of somebody else's as the two colours of an app.

use std::net::Ipv4Addr;
use std::ops::Deref;

use localstack::Endpoints;

use crate::support::Outcome;

pub struct Servers(Endpoints);

impl Deref for Servers {
    type Target = Endpoints;

    fn deref(&self) -> &Endpoints {
        &self.0
    }
}

impl Servers {
    pub fn at(blue: Ipv4Addr, green: Ipv4Addr) -> Outcome<Self> {
        Ok(Self(Endpoints::at([blue, green], "x-bgecs-release")?))
    }

    /// Somebody puts a release there, and not bgecs.
    pub fn put(&self, color: &str, tag: &str) -> Outcome {
        Ok(std::fs::write(self.file(color), tag)?)
    }

    /// The tag that a colour serves.
    pub fn tag(&self, color: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.file(color)).ok()?;
        Some(text.trim().to_owned())
    }

    /// Both colours for bgecs.toml, of which each is routed to as that.
    pub fn colors(&self, targets: [&str; 2], url: impl Fn(&str) -> String) -> String {
        let all = ["blue", "green"].into_iter().zip(targets);
        let all = all.map(|(color, target)| {
            let file = self.file(color);
            let file = file.display();
            format!(
                "\n[colors.{color}]\ntarget = \"{target}\"\nurl = \"{}\"\n\
                 deploy = \"echo $BGECS_TAG > {file}\"\nretire = \"rm {file}\"\n",
                url(color)
            )
        });
        all.collect()
    }

    /// A section of bgecs.toml: a colour breaks between its health check and its first
    /// user.
    pub fn breaking(&self, color: &str) -> String {
        let file = self.file(color);
        format!(
            "[hooks]\nbefore_shift = \"echo bad > {}\"\n",
            file.display()
        )
    }
}
