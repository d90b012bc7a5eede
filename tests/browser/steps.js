// What a visitor does, step after step, in a real browser; a step that leaves the
// page comes back by thanks.html. GATEWAY and OTHER are set by the page.
'use strict';
const step = Number(sessionStorage.step || 0);

function report(name, value) {
  return fetch('/report', {method: 'POST', body: JSON.stringify([name, value])});
}

function makeForm(action, fields, parent = document.body) {
  const form = document.createElement('form');
  form.method = 'post';
  form.action = action;
  for (const [name, value] of Object.entries(fields)) {
    const box = document.createElement('textarea');
    box.name = name;
    box.value = value;
    form.append(box);
  }
  form.append(document.createElement('button'));
  parent.append(form);
  return form;
}

function post(body, headers) {
  return fetch(GATEWAY + '/f/site', {method: 'POST', body, headers});
}

function json(fields, headers = {}) {
  return post(JSON.stringify(fields), {'Content-Type': 'application/json', ...headers});
}

function formData(fields) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
}

async function told(answer) {
  return [answer.status, await answer.json()];
}

function frame(url) {
  const element = document.createElement('iframe');
  if (url) element.src = url;
  element.name = 'frame';
  document.body.append(element);
  return element;
}

function loaded(element) {
  return new Promise(resolve => element.addEventListener('load', resolve, {once: true}));
}

const steps = [
  function plainForm() {
    makeForm(GATEWAY + '/f/site', {full_name: 'Zo\u00eb', email: 'plain@example.com', message: 'a\nb & c'}).submit();
  },
  function multipartForm() {
    const form = makeForm(GATEWAY + '/f/site', {'a"b': 'x\ny', email: 'multipart@example.com'});
    const file = document.createElement('input');
    form.enctype = 'multipart/form-data';
    file.type = 'file';
    file.name = 'cv';
    form.append(file);
    form.submit();
  },
  function textForm() {
    const form = makeForm(GATEWAY + '/f/site', {note: '100% a+b', email: 'text@example.com'});
    form.enctype = 'text/plain';
    form.submit();
  },
  function latinForm() {
    const form = makeForm(GATEWAY + '/f/site', {_charset_: '', note: 'Zo\u00eb \u20ac', email: 'latin@example.com'});
    form.acceptCharset = 'windows-1252';
    // Only a hidden input of this name is filled by the browser.
    form.querySelector('textarea').remove();
    const hidden = document.createElement('input');
    hidden.type = 'hidden';
    hidden.name = '_charset_';
    form.append(hidden);
    form.submit();
  },
  function doubleClick() {
    const button = makeForm(GATEWAY + '/f/site', {email: 'twice@example.com'}).querySelector('button');
    button.click();
    button.click();
  },
  function backButton() {
    location = '/back.html';
  },
  async function fetches() {
    await report('json', await told(await json({email: 'json@example.com'}, {'Idempotency-Key': '"k-1"'})));
    await report('again', await told(await json({email: 'json@example.com'}, {'Idempotency-Key': '"k-1"'})));
    await report('refused', await told(await json({full_name: 'Nobody'})));
    await report('form', await told(await post(new URLSearchParams({email: 'params@example.com'}))));
    await report('data', await told(await post(formData({email: 'data@example.com'}))));
    const file = new File(['secret bytes'], 'cv.pdf', {type: 'application/pdf'});
    await report('file', await told(await post(formData({email: 'file@example.com', cv: file}))));
    location = '/thanks.html';
  },
  async function beacons() {
    const url = GATEWAY + '/f/site';
    await report('beacons', [
      navigator.sendBeacon(url, JSON.stringify({email: 'beacon-text@example.com'})),
      navigator.sendBeacon(url, new URLSearchParams({email: 'beacon-params@example.com'})),
      navigator.sendBeacon(url, formData({email: 'beacon-data@example.com'})),
      navigator.sendBeacon(url, new Blob(['{"email":"beacon-json@example.com"}'], {type: 'application/json'})),
    ]);
    location = '/thanks.html';
  },
  async function otherSite() {
    const heard = new Promise(resolve => addEventListener('message', resolve, {once: true}));
    frame(OTHER + '/other.html');
    await report('other site', (await heard).data);
    location = '/thanks.html';
  },
  async function refusedForm() {
    history.replaceState(null, '', '/thanks.html?gclid=again-1');
    const element = frame();
    const form = makeForm('/relay/f/site', {full_name: '"><script>parent.ran = 1</script>', message: '\na\n</textarea>', agree: 'on'});
    form.target = 'frame';
    let shown = loaded(element);
    form.submit();
    await shown;
    const page = element.contentDocument, again = page.querySelector('form');
    const values = name => page.querySelector(`[name=${name}]`).value;
    await report('kept', [page.title, values('full_name'), values('message'), page.querySelector('[name=agree]').checked, window.ran || 0]);
    const email = page.createElement('input');
    email.name = 'email';
    email.value = 'again@example.com';
    again.append(email);
    again.action = '/relay/f/site';
    shown = loaded(element);
    again.submit();
    await shown;
    location = '/thanks.html';
  },
  async function end() {
    await report('end', true);
  },
];

// Not at once: a page that goes on while it is loaded replaces itself in the history.
addEventListener('load', () => setTimeout(() => {
  sessionStorage.step = step + 1;
  steps[step]();
}));
