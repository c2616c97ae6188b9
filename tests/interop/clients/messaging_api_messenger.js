// messaging-api-messenger 1.1.0 (MIT; the client inside the bottender framework).
//
// Exercises MessengerClient: the Page, debug_token, the app's subscriptions, a message,
// the messenger profile, a batch, a user profile, a refused send.
// On the wire: version v6.0 (its default), token and appsecret_proof in the query, JSON
// bodies (also of DELETE; GET sends that Content-Type too); batch as a JSON body with an
// array, POST /v6.0/?appsecret_proof=… without the token in the query. A fault of its own:
// debugToken sends the app token with the proof of the PAGE token, which Graph refuses;
// hence the second client, without proofs.
'use strict';
const { MessengerClient, MessengerBatch } = require('messaging-api-messenger');

const env = process.env;
const settings = {
  accessToken: env.INTEROP_PAGE_TOKEN,
  appId: env.INTEROP_APP_ID,
  appSecret: env.INTEROP_APP_SECRET,
  origin: env.INTEROP_GRAPH_URL.replace(/\/$/, ''),
};
const client = new MessengerClient(settings);
const unproven = new MessengerClient({ ...settings, skipAppSecretProof: true });
const psid = env.INTEROP_PSID;

function shown(value) {
  let text = JSON.stringify(value === undefined ? null : value,
    (key, inner) => (/^access_?token$/i.test(key) ? '<token>' : inner));
  for (const secret of [env.INTEROP_PAGE_TOKEN, env.INTEROP_USER_TOKEN, env.INTEROP_APP_SECRET]) {
    text = text.split(secret).join('<token>');
  }
  return JSON.parse(text);
}

async function refused(call) {
  try {
    await call;
  } catch (error) {
    if (!error.response) throw error;
    const told = error.response.data.error; // its keys are camel case by now
    return { status: error.status, code: told.code, subcode: told.errorSubcode, message: error.message };
  }
  throw new Error('the call was not refused');
}

const calls = [
  ['me', () => client.getPageInfo({ fields: ['id', 'name', 'username'] })],
  ['debug_token', () => unproven.debugToken()],
  ['subscriptions', () => client.getSubscriptions()],
  ['send', () => client.sendText(psid, 'hi from messaging-api-messenger', { messagingType: 'RESPONSE' })],
  ['send_unknown', () => refused(client.sendText('1', 'nobody', { messagingType: 'RESPONSE' }))],
  ['typing', () => client.typingOn(psid)],
  ['user', () => client.getUserProfile(psid, { fields: ['first_name', 'last_name'] })],
  ['profile_set', () => client.setGetStarted('GO')],
  ['profile', () => client.getMessengerProfile(['get_started', 'greeting'])],
  ['profile_delete', () => client.deleteGetStarted()],
  ['batch', () => client.sendBatch([
    { method: 'GET', relativeUrl: 'me?fields=id,name' },
    { method: 'GET', relativeUrl: 'me?fields=nonsense' },
    MessengerBatch.sendText(psid, 'in a batch'),
  ], { includeHeaders: false })],
];

(async () => {
  const done = {};
  for (const [name, call] of calls) done[name] = shown(await call());
  console.log(JSON.stringify({ client: 'messaging-api-messenger 1.1.0', calls: done }));
})().catch((error) => {
  console.error(shown(String(error.stack || error)));
  process.exit(1);
});
