/** What a person sees who opens the server's address: what this is, and how to connect. And the page of the first person. */

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;color:#222}
code{background:#eee;padding:.1rem .3rem;border-radius:.2rem}label{display:block;margin:.8rem 0}
input{display:block;width:100%;box-sizing:border-box;font:inherit;padding:.3rem}button{font:inherit;padding:.3rem 1rem}
@media(prefers-color-scheme:dark){body{background:#161616;color:#ddd}code{background:#333}a{color:#6af}}`;

const page = (title: string, body: string): string => `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><title>${title}</title><style>${STYLE}</style></head><body>
${body}</body></html>
`;

/** The pages need nothing from elsewhere and stand in no frame. */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

export const WELCOME_PAGE = page(
  'Parley',
  `<h1>Parley</h1>
<p>This is a chat server. It has no page of its own to chat on yet: people and bots connect with a program.</p>
<ul>
<li><a href="/docs">The HTTP API</a>, to read, and as <a href="/openapi.json">OpenAPI</a>. Its paths stand below <code>/v1</code>.</li>
<li>A person registers with <code>POST /v1/auth/register</code>, signs in with <code>POST /v1/login</code>, and is let into a guild by an invite.</li>
<li>Live events come over the WebSocket <code>/gateway</code>.</li>
<li>A bot written for Discord connects unchanged: give its library <code>/api</code> on this host as the address of the API, and the token
of a bot that was made here.</li>
</ul>
`,
);

/** The same for whoever does not ask for HTML, such as curl. */
export const WELCOME_TEXT = `Parley, a chat server. People and bots connect with a program.

  the HTTP API, to read   /docs, and as OpenAPI /openapi.json; paths stand below /v1
  register, sign in       POST /v1/auth/register, POST /v1/login
  live events             the WebSocket /gateway
  bots for Discord        connect unchanged, with /api on this host as the address of the API
`;

/** Whether a browser asks, which names HTML itself. */
export const wantsHtml = (accept: string | undefined): boolean => accept?.includes('text/html') === true;

/** Of a link to an invite. The same for every code, so it tells nobody which there are. */
export const INVITE_PAGE = page(
  'Parley: an invite',
  `<h1>An invite</h1>
<p>Somebody invites you to a guild on this chat server. There is no page to chat on yet: ask them which program to use.</p>
<p>The code of the invite is the end of this address. A program that is signed in joins with <code>POST /v1/invites/</code> and the code.</p>
`,
);

/** Sends the code of its own address, which browsers tell no server, with what the person enters. */
export const SETUP_PAGE = page(
  'Parley: the first person',
  `<h1>The first person</h1>
<p>You will administer this server. Whoever administers it can read everything that is said on it, by replay.</p>
<form id="form"><label>Username <input name="username" required minlength="2" maxlength="32" autocomplete="username"></label>
<label>Password, at least 8 characters <input name="password" type="password" required minlength="8" maxlength="256" autocomplete="new-password"></label>
<button>Register</button></form><p id="told" role="status"></p>
<script>
const NO_CODE = 'This link has been used, or a part of it is missing. The server prints it when it starts, as long as nobody has registered.';
const form = document.getElementById('form');
const tell = (text) => { document.getElementById('told').textContent = text; };
const problems = (errors, path) => Object.entries(errors || {}).flatMap(([name, inner]) =>
  Array.isArray(inner) ? inner.map((one) => path + ': ' + one.message) : problems(inner, name));
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  if (location.hash.length < 2) return tell(NO_CODE);
  try {
    const answer = await fetch('/v1/auth/register', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...Object.fromEntries(new FormData(form)), setup_code: location.hash.slice(1) }),
    });
    const said = await answer.json();
    if (answer.ok) {
      form.remove();
      tell(said.user.username + ' administers this server now. Sign in with POST /v1/login.');
    } else if (answer.status === 403) {
      tell(NO_CODE);
    } else {
      const found = problems(said.errors, '');
      tell(found.length === 0 ? said.message : found.join(' '));
    }
  } catch {
    tell('The server does not answer. Try again.');
  }
});
</script>
`,
);
