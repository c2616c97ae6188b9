// passport-facebook 3.0.0 (MIT; on passport-oauth2 and oauth).
//
// Logs a person in: its strategy leads to the dialog, its callback exchanges the code and reads the
// profile; then the same with a cancelled dialog. This driver is the website around the strategy and
// the browser in front of it.
// On the wire: the dialog with response_type, redirect_uri, scope, state, client_id and, with PKCE,
// code_challenge and code_challenge_method; the code as a POSTed form with grant_type, redirect_uri,
// code_verifier, client_id and client_secret; the profile with appsecret_proof and the token in the
// query.
'use strict';
const FacebookStrategy = require('passport-facebook');

const env = process.env;
const graph = env.INTEROP_GRAPH_URL.replace(/\/$/, '');
const session = {};

function strategy(port) {
  return new FacebookStrategy({
    authorizationURL: `${graph}/v26.0/dialog/oauth`,
    tokenURL: `${graph}/v26.0/oauth/access_token`,
    profileURL: `${graph}/v26.0/me`,
    clientID: env.INTEROP_APP_ID,
    clientSecret: env.INTEROP_APP_SECRET,
    callbackURL: `http://localhost:${port}/back`,
    scope: ['pages_show_list', 'pages_messaging'],
    profileFields: ['id', 'displayName'],
    enableProof: true,
    state: true,
    pkce: 'S256',
  }, (token, refresh, answer, profile, done) => done(null, {
    id: profile.id, name: profile.displayName, expires_in: answer.expires_in, token_type: answer.token_type,
    has_token: typeof token === 'string' && token.startsWith('EAA'),
  }));
}

// A request to the website: what the strategy decides.
function visit(facebook, url, options) {
  const query = Object.fromEntries(url.searchParams);
  const request = { method: 'GET', url: url.href, headers: { host: url.host }, connection: {}, query, session };
  return new Promise((done, fail) => {
    const one = Object.create(facebook);
    one.redirect = (target) => done({ redirect: target });
    one.success = (user) => done({ user });
    one.fail = (why) => done({ refused: why });
    one.error = fail;
    one.authenticate(request, options);
  });
}

// The dialog's form with its hidden fields, a Page, and a button; where it leads.
async function fillIn(address, action) {
  const dialog = await fetch(address, { redirect: 'manual' });
  const html = await dialog.text();
  const plain = (text) => text.replace(/&quot;/g, '"').replace(/&#39;/g, "'").replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');
  const form = new URLSearchParams();
  for (const [input] of html.matchAll(/<input [^>]*>/g)) {
    const of = (name) => plain((input.match(new RegExp(` ${name}="([^"]*)"`)) || ['', ''])[1]);
    const wanted = of('type') === 'hidden' || of('name') === 'permission' || of('value') === env.INTEROP_PAGE_ID;
    if (wanted) form.append(of('name'), of('value'));
  }
  form.append('action', action);
  const target = plain(html.match(/<form method="post" action="([^"]*)"/)[1]);
  const sent = await fetch(new URL(target, graph), { method: 'POST', body: form, redirect: 'manual' });
  return new URL(sent.headers.get('location'));
}

async function login(facebook, action, options) {
  const start = await visit(facebook, new URL('http://localhost/'), options);
  return visit(facebook, await fillIn(start.redirect, action), options);
}

(async () => {
  const facebook = strategy(8765);
  const done = {
    cancelled: await login(facebook, 'cancel', {}),
    login: await login(facebook, 'continue', {}),
    again: await login(facebook, 'continue', { authType: 'rerequest' }),
  };
  console.log(JSON.stringify({ client: 'passport-facebook 3.0.0', calls: done }));
})().catch((error) => {
  const text = String(error.stack || error) + JSON.stringify(error.oauthError || null);
  console.error(text.split(env.INTEROP_APP_SECRET).join('<secret>'));
  process.exit(1);
});
