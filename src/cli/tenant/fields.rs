//! The settings of a tenant as flags, for `add` and `edit`.

use clap::Args;

use crate::accounts::{AppId, CallbackTemplate, PlatformMessenger, ProductVersion, Tenant, TenantHost};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::secrets::StoreName;

#[derive(Clone, Debug, Args)]
pub struct FieldArgs {
    /// The tenant's host: example.brightpattern.com
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// The version of the contact centre: 5.19
    #[arg(long, value_name = "VERSION")]
    product_version: Option<String>,
    /// The template of callback URLs, with {host}, {page_id}, {page_username}, {handle}
    #[arg(long, value_name = "URL")]
    callback_template: Option<String>,
    /// The messengers that the service provider has enabled: facebook,line,…
    #[arg(long, value_name = "TYPES", value_delimiter = ',', value_parser = PlatformMessenger::all().to_vec())]
    types: Vec<String>,
    /// Where new secrets of this tenant go
    #[arg(long, value_name = "STORE")]
    default_store: Option<StoreName>,
    /// The Meta app of its accounts, unless an account has its own
    #[arg(long, value_name = "ID")]
    app_id: Option<String>,
}

impl FieldArgs {
    /// Copies the given values into a tenant.
    pub fn apply(&self, tenant: &mut Tenant) -> Result<(), CliError> {
        fn put<T>(flag: &str, text: Option<&String>, field: &mut Option<T>) -> Result<(), CliError>
        where
            T: std::str::FromStr<Err = crate::accounts::FieldError>,
        {
            if let Some(text) = text {
                *field = Some(text.parse().map_err(|error| CliError::from(error).context(flag))?);
            }
            Ok(())
        }
        put::<TenantHost>("--host", self.host.as_ref(), &mut tenant.host)?;
        put::<ProductVersion>("--product-version", self.product_version.as_ref(), &mut tenant.product_version)?;
        put::<CallbackTemplate>("--callback-template", self.callback_template.as_ref(), &mut tenant.callback_template)?;
        put::<AppId>("--app-id", self.app_id.as_ref(), &mut tenant.app_id)?;
        if !self.types.is_empty() {
            tenant.types =
                self.types.iter().map(|name| name.parse()).collect::<Result<_, _>>().map_err(CliError::from)?;
        }
        tenant.store = self.default_store.or(tenant.store);
        if tenant.callback_template.as_ref().is_some_and(CallbackTemplate::needs_host) && tenant.host.is_none() {
            return Err(
                CliError::usage("the callback template needs the tenant's host").hint("give it with --host HOST")
            );
        }
        Ok(())
    }

    /// Warns of values that are probably mistakes.
    pub fn warn(&self, ctx: &Context, tenant: &Tenant) {
        if self.callback_template.is_some()
            && let Some(template) = &tenant.callback_template
            && !template.tells_accounts_apart()
        {
            ctx.output.warning("the callback template has no {page_id}: every account gets the same callback URL");
        }
    }

    pub fn any(&self) -> bool {
        let Self { host, product_version, callback_template, types, default_store, app_id } = self;
        [host, product_version, callback_template, app_id].iter().any(|field| field.is_some())
            || !types.is_empty()
            || default_store.is_some()
    }
}
