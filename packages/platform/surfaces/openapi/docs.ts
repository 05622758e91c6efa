// Serves the reference at /docs: one page without scripts, made once from the definitions, and its style sheet.
// Ready-made viewers (Redoc, RapiDoc, Scalar) were left out: each is 1 to 3 MB of script, asks for inline styles or
// fonts from elsewhere, and reads the document anew in every browser; this one also works in a terminal's browser.
import { Hono } from 'hono';
import { docsPage } from './docs-page.ts';
import { docsStyle } from './docs-style.ts';

/** Narrower than the rest of the platform: the page needs its style sheet and nothing else. */
const contentPolicy =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export function docsSurface(facts: { readonly version: string }): Hono {
  const page = docsPage(facts);
  const headers = { 'content-security-policy': contentPolicy, 'cache-control': 'no-cache' };
  const app = new Hono();
  app.get('/docs', (context) => context.html(page, 200, headers));
  app.get('/docs/', (context) => context.redirect('/docs', 301));
  app.get('/docs/style.css', (context) =>
    context.body(docsStyle, 200, { ...headers, 'content-type': 'text/css; charset=utf-8' }),
  );
  return app;
}
