// How the console is built into dist, and served while it is developed (with a platform behind it).
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const platform = process.env['POWERNODE_URL'] ?? 'http://127.0.0.1:7070';

export default defineConfig(({ command }) => {
  // What is built is what ships, also when a test runner builds it and has set another environment.
  if (command === 'build') process.env['NODE_ENV'] = 'production';
  return {
    root: import.meta.dirname,
    plugins: [react()],
    build: {
      outDir: 'dist',
      // The bootstrap page of people's devices is a page of its own: it loads nothing of the console.
      rolldownOptions: {
        input: {
          index: `${import.meta.dirname}/index.html`,
          bootstrap: `${import.meta.dirname}/bootstrap.html`,
        },
      },
      emptyOutDir: true,
      // Browsers of the last two years; light-dark() and container queries are used as they are.
      target: ['chrome123', 'firefox121', 'safari17.5'],
      // The platform's content policy has no data: URLs, so nothing is inlined.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
    server: { proxy: { '/api': platform, '/healthz': platform } },
  };
});
