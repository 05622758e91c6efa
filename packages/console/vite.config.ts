// How the console is built into dist, and served while it is developed (with a platform behind it).
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // Current browsers of the last two years; light-dark() and container queries are used as they are.
    target: ['chrome123', 'firefox121', 'safari17.5'],
    // The platform's content policy has no data: URLs, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      '/api': process.env['POWERNODE_URL'] ?? 'http://127.0.0.1:7070',
      '/healthz': process.env['POWERNODE_URL'] ?? 'http://127.0.0.1:7070',
    },
  },
});
