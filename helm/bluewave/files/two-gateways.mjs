// The chart's test: two people on two different gateway pods, one message from one to the other, live and by history.
//   SERVICE_URL  the gateway Service      PODS_HOST  a name that resolves to every gateway pod
import { lookup } from 'node:dns/promises';
import { randomBytes, randomUUID } from 'node:crypto';

const { SERVICE_URL, PODS_HOST } = process.env;
const patienceMs = 20_000;

function check(condition, message) {
  if (!condition) throw new Error(message);
}

async function call(base, method, path, body, token) {
  const headers = {
    ...(body && { 'content-type': 'application/json' }),
    ...(token && { authorization: `Bearer ${token}` }),
  };
  const signal = AbortSignal.timeout(patienceMs);
  const response = await fetch(base + path, { method, headers, body: body && JSON.stringify(body), signal });
  const text = await response.text();
  check(response.ok, `${method} ${path}: ${response.status} ${text.slice(0, 500)}`);
  return text === '' ? undefined : JSON.parse(text);
}

async function register(base, person) {
  const username = `${person}_${randomBytes(5).toString('hex')}`;
  const password = randomBytes(18).toString('base64url');
  const body = { email: `${username}@example.com`, username, password };
  const { user, accessToken } = await call(base, 'POST', '/api/v1/auth/register', body);
  return { base, user, token: accessToken };
}

/** A Socket.IO session over a bare WebSocket: Engine.IO 4 frames, one namespace. */
function listen(person, wanted) {
  const socket = new WebSocket(`${person.base.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  const connected = Promise.withResolvers();
  const heard = Promise.withResolvers();
  const timer = setTimeout(() => fail(new Error(`heard no ${wanted} in ${patienceMs} ms`)), patienceMs);
  const fail = (error) => {
    connected.reject(error);
    heard.reject(error);
  };
  socket.addEventListener('error', () => fail(new Error(`no WebSocket to ${person.base}`)));
  socket.addEventListener('close', () => fail(new Error('the socket was closed')));
  socket.addEventListener('message', ({ data }) => {
    if (data.startsWith('0')) socket.send('40' + JSON.stringify({ token: person.token }));
    else if (data === '2') socket.send('3');
    else if (data.startsWith('40')) connected.resolve();
    else if (data.startsWith('44')) fail(new Error(`refused: ${data.slice(2)}`));
    else if (data.startsWith('42')) {
      const [event, body] = JSON.parse(data.slice(data.indexOf('[')));
      if (event === wanted) heard.resolve(body);
    }
  });
  heard.promise.catch(() => undefined);
  const close = () => {
    clearTimeout(timer);
    socket.close();
  };
  return { connected: connected.promise, heard: heard.promise, close };
}

const ready = await call(SERVICE_URL, 'GET', '/api/v1/health');
console.log('the Service answers', JSON.stringify(ready));
const pods = (await lookup(PODS_HOST, { all: true, family: 4 })).map(({ address }) => `http://${address}:8080`);
const [first, second = first] = pods;
console.log(`gateway pods: ${pods.join(' ')}`);

const alice = await register(first, 'alice');
const bob = await register(second, 'bob');
const group = { type: 'direct', userId: bob.user.id };
const conversation = await call(alice.base, 'POST', '/api/v1/conversations', group, alice.token);
const ear = listen(bob, 'message:new');
await ear.connected;
const text = `hello ${randomUUID()}`;
const path = `/api/v1/conversations/${conversation.id}/messages`;
const { message } = await call(alice.base, 'POST', path, { clientMsgId: randomUUID(), text }, alice.token);
const event = await ear.heard;
ear.close();
check(event.message.text === text, 'the live message is another one');
const { items } = await call(bob.base, 'GET', path, undefined, bob.token);
const stored = items.filter((item) => item.id === message.id);
check(stored.length === 1 && stored[0].text === text, 'the history does not hold the message exactly once');
console.log(`sent through ${first}, heard and read through ${second}: ok`);
