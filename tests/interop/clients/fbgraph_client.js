// fbgraph 1.4.4 (MIT; on the old `request` package).
//
// Exercises its get, post, del and batch: the Page, subscribed_apps, a message, the
// messenger profile, a user's accounts, a batch, a refused send.
// On the wire: version v2.9 (its default), token and appsecret_proof in the query and, when
// no parameters are given, the token once more in the body; a form body WITHOUT any
// Content-Type; nested values in brackets (recipient[id]=…, fields[0]=…); DELETE as POST
// with ?method=delete; batch as form text to /v2.9/.
'use strict';
const graph = require('fbgraph');

const env = process.env;
const psid = env.INTEROP_PSID;
graph.setGraphUrl(env.INTEROP_GRAPH_URL.replace(/\/$/, ''));
graph.setAppSecret(env.INTEROP_APP_SECRET);
graph.setAccessToken(env.INTEROP_PAGE_TOKEN);

const call = (verb, ...given) => new Promise((done, fail) => {
  graph[verb](...given, (error, answer) => (error ? fail(error) : done(answer)));
});
const send = (to) => call('post', 'me/messages', {
  recipient: { id: to }, message: { text: 'hi from fbgraph' }, messaging_type: 'RESPONSE',
});

function shown(value) {
  let text = JSON.stringify(value, (key, inner) => (key === 'access_token' ? '<token>' : inner));
  for (const secret of [env.INTEROP_PAGE_TOKEN, env.INTEROP_USER_TOKEN, env.INTEROP_APP_SECRET]) {
    text = text.split(secret).join('<token>');
  }
  return JSON.parse(text);
}

async function refused(sent) {
  try {
    await sent;
  } catch (error) {
    return { code: error.code, subcode: error.error_subcode, type: error.type };
  }
  throw new Error('the call was not refused');
}

async function accounts() {
  graph.setAccessToken(env.INTEROP_USER_TOKEN);
  const answer = await call('get', 'me/accounts', { fields: 'id,name' });
  graph.setAccessToken(env.INTEROP_PAGE_TOKEN);
  return answer;
}

const calls = [
  ['accounts', accounts],
  ['me', () => call('get', 'me?fields=id,name,username')],
  ['subscribe', () => call('post', `${env.INTEROP_PAGE_ID}/subscribed_apps`, { subscribed_fields: 'messages,messaging_postbacks' })],
  ['subscribed', () => call('get', `${env.INTEROP_PAGE_ID}/subscribed_apps`)],
  ['send', () => send(psid)],
  ['send_unknown', () => refused(send('1'))],
  ['profile_set', () => call('post', 'me/messenger_profile', { get_started: { payload: 'GO' } })],
  ['profile_delete', () => call('del', 'me/messenger_profile', { fields: ['get_started'] })],
  ['batch', () => call('batch', [
    { method: 'GET', relative_url: 'me?fields=id,name' },
    { method: 'GET', relative_url: 'me?fields=nonsense' },
  ])],
  ['unsubscribe', () => call('del', `${env.INTEROP_PAGE_ID}/subscribed_apps`)],
];

(async () => {
  const done = {};
  for (const [name, make] of calls) done[name] = shown(await make());
  console.log(JSON.stringify({ client: 'fbgraph 1.4.4', calls: done }));
})().catch((error) => {
  console.error(shown(String(error.message || error)));
  process.exit(1);
});
