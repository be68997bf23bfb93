// Looks the providers' host names up by itself: they lead to the sandbox's TLS port, for this process only.
'use strict';

const tls = require('node:tls');

const PORT = Number(process.env.SANDBOX_TLS_PORT);
const connect = tls.connect;

const asked = new Set();

tls.connect = function (options, ...rest) {
  const host = options.servername || options.host;
  if (!/\.(intuit|xero)\.com$/.test(host)) throw new Error(`nobody but the providers is called here: ${host}`);
  asked.add(host);
  return connect.call(this, { ...options, host: '127.0.0.1', hostname: '127.0.0.1', port: PORT, servername: host }, ...rest);
};

module.exports = { asked };
