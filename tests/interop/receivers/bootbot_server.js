// bootbot 1.1.0 (MIT), on express 4. Webhook path: /webhook
//
// Exercises BootBot's handshake, its X-Hub-Signature check (SHA-1) and its events.
// Expected: right token 200 and the challenge; wrong token or mode 403 "Forbidden";
// signed POST 200 "OK"; wrongly signed or unsigned POST 403 with an error page (HTML);
// a POST whose object is not "page" is never answered.
'use strict';
process.env.SUPPRESS_NO_CONFIG_WARNING = 'y';
const BootBot = require('bootbot');

const bot = new BootBot({
  accessToken: 'unused',
  verifyToken: process.env.INTEROP_VERIFY_TOKEN,
  appSecret: process.env.INTEROP_APP_SECRET,
});
bot.on('message', (payload) => {
  console.log('message', payload.sender.id, payload.message.text);
});

// bootbot would listen on every address
const listen = bot.app.listen.bind(bot.app);
bot.app.listen = (port, done) => listen(port, '127.0.0.1', done);
bot.start(Number(process.env.INTEROP_PORT));
bot.server.on('listening', () => console.log('ready'));
