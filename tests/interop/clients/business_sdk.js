// facebook-nodejs-business-sdk 24.0.1 (Meta's own; Platform License).
//
// Exercises FacebookAdsApi: getAppID, with which a token asks about itself, the Page,
// subscribed_apps, a message, a refused send.
// On the wire: version v24.0 (its own), token in the query of every call, also of POST,
// whose body is JSON; getAppID is GET /v24.0/debug_token with access_token and input_token
// the same and fields=app_id.
'use strict';
const { FacebookAdsApi } = require('facebook-nodejs-business-sdk');

const env = process.env;
// Where Graph is, is a constant of the library.
Object.defineProperty(FacebookAdsApi, 'GRAPH', { get: () => env.INTEROP_GRAPH_URL.replace(/\/$/, '') });
const api = FacebookAdsApi.init(env.INTEROP_PAGE_TOKEN, 'en_US', false);

function shown(value) {
  let text = JSON.stringify(value === undefined ? null : value);
  for (const secret of [env.INTEROP_PAGE_TOKEN, env.INTEROP_USER_TOKEN, env.INTEROP_APP_SECRET]) {
    text = text.split(secret).join('<token>');
  }
  return JSON.parse(text);
}

const send = (to) => api.call('POST', ['me', 'messages'], {
  recipient: { id: to }, message: { text: 'hi from the SDK' }, messaging_type: 'RESPONSE',
});

async function refused(call) {
  try {
    await call;
  } catch (error) {
    if (!error.response) throw error;
    return { status: error.status, code: error.response.code, subcode: error.response.error_subcode };
  }
  throw new Error('the call was not refused');
}

async function appId() {
  try {
    return { app_id: (await api.getAppID()).data.data.app_id };
  } catch (error) {
    if (!error.response) throw error;
    return { error: error.response.data.error };
  }
}

const calls = [
  ['app_id', appId],
  ['me', () => api.call('GET', ['me'], { fields: 'id,name,username' })],
  ['subscribe', () => api.call('POST', [env.INTEROP_PAGE_ID, 'subscribed_apps'], { subscribed_fields: 'messages,messaging_postbacks' })],
  ['subscribed', () => api.call('GET', [env.INTEROP_PAGE_ID, 'subscribed_apps'])],
  ['send', () => send(env.INTEROP_PSID)],
  ['send_unknown', () => refused(send('1'))],
];

(async () => {
  const done = {};
  for (const [name, make] of calls) done[name] = shown(await make());
  console.log(JSON.stringify({ client: 'facebook-nodejs-business-sdk 24.0.1', calls: done }));
})().catch((error) => {
  console.error(shown(String(error.message || error)));
  process.exit(1);
});
