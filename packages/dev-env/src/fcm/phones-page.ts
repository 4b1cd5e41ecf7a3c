/** The phones page: what each registration token was sent, refreshed every second. Self-contained, no innerHTML. */
export const phonesPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Bluewave phones</title>
<style>
:root { color-scheme: light dark; --ink: #14213d; --soft: #5c6784; --line: #dfe5f1; --card: #fff; --page: #f3f6fc; --accent: #1769e0; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8edf9; --soft: #97a3c0; --line: #2a3550; --card: #172036; --page: #0e1526; --accent: #6ea8ff; }
}
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--page); }
header { padding: 28px 32px 12px; display: flex; gap: 16px; align-items: baseline; flex-wrap: wrap; }
h1 { font-size: 22px; margin: 0; letter-spacing: -.01em; }
#state { color: var(--soft); font-size: 13px; }
main { display: grid; gap: 20px; padding: 12px 32px 48px; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); align-items: start; }
.phone { background: var(--card); border: 1px solid var(--line); border-radius: 22px; overflow: hidden; }
.phone h2 { margin: 0; padding: 14px 18px; font: 600 13px ui-monospace, monospace; border-bottom: 1px solid var(--line);
  display: flex; gap: 10px; justify-content: space-between; }
.phone h2 span:first-child { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.count { color: var(--accent); flex: none; }
ol { list-style: none; margin: 0; padding: 10px; display: grid; gap: 8px; max-height: 460px; overflow: auto; }
li { border: 1px solid var(--line); border-radius: 14px; padding: 10px 12px; }
.top { display: flex; justify-content: space-between; gap: 12px; }
.title { font-weight: 600; overflow-wrap: anywhere; }
time { color: var(--soft); font-size: 12px; flex: none; }
.body { overflow-wrap: anywhere; white-space: pre-wrap; }
details { margin-top: 6px; color: var(--soft); font-size: 12px; }
summary { cursor: pointer; }
pre { overflow: auto; margin: 6px 0 0; }
.empty { padding: 0 32px; color: var(--soft); max-width: 60ch; }
[hidden] { display: none; }
</style>
</head>
<body>
<header><h1>Phones</h1><span id="state">connecting</span></header>
<p class="empty" id="empty">No phone was sent anything yet. Register a push token with
<code>PUT /api/v1/devices/:deviceId/push-token</code>, close that device's socket, and send its user a message.</p>
<main id="phones"></main>
<script type="module">
const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};
const item = ({ at, message }) => {
  const row = make('li');
  const top = make('div', 'top');
  top.append(make('span', 'title', message.notification?.title ?? '(data only)'));
  const time = make('time', '', new Date(at).toLocaleTimeString());
  time.dateTime = at;
  top.append(time);
  const more = make('details');
  more.append(make('summary', '', 'as FCM got it'), make('pre', '', JSON.stringify(message, null, 2)));
  row.append(top, make('div', 'body', message.notification?.body ?? ''), more);
  return row;
};
const phone = ({ token, count, items }) => {
  const card = make('section', 'phone');
  const head = make('h2');
  const name = make('span', '', token);
  name.title = token;
  head.append(name, make('span', 'count', String(count)));
  const list = make('ol');
  list.append(...items.map(item));
  card.append(head, list);
  return card;
};
let shown = '';
const refresh = async () => {
  const state = document.getElementById('state');
  try {
    const response = await fetch('/phones');
    const text = await response.text();
    const { phones } = JSON.parse(text);
    state.textContent = phones.length === 1 ? '1 phone' : phones.length + ' phones';
    document.getElementById('empty').hidden = phones.length > 0;
    if (text !== shown) document.getElementById('phones').replaceChildren(...phones.map(phone));
    shown = text;
  } catch {
    state.textContent = 'the platform is not running';
  }
  setTimeout(refresh, 1000);
};
refresh();
</script>
</body>
</html>
`;
