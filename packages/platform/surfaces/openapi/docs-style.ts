// The style sheet of the reference: light and dark, from phones to wide screens, and on paper.

export const docsStyle = `
:root {
  color-scheme: light dark;
  --line: light-dark(#d5dae1, #333b47);
  --soft: light-dark(#f4f6f8, #1b2027);
  --text: light-dark(#1a2028, #e6e9ee);
  --faint: light-dark(#56606e, #9aa5b4);
  --link: light-dark(#0b57b0, #7fb4ff);
  --ground: light-dark(#ffffff, #12161b);
}
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.55 system-ui, sans-serif; color: var(--text); background: var(--ground); }
a { color: var(--link); }
a:focus-visible, summary:focus-visible, [tabindex]:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 8px; top: 8px; background: var(--ground); padding: 4px 8px; }
.layout { display: grid; grid-template-columns: 18rem minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1.5rem 1rem; border-right: 1px solid var(--line); }
nav h2 { font-size: .8rem; margin: 1.2rem 0 .3rem; color: var(--faint); text-transform: uppercase; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li a { display: block; padding: .15rem 0; text-decoration: none; }
main { padding: 1.5rem clamp(1rem, 4vw, 3rem) 6rem; max-width: 60rem; }
h1 { margin: 0 0 .5rem; }
section > h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
article { margin: 2.2rem 0; scroll-margin-top: 1rem; }
article h3 { margin: 0 0 .3rem; }
article h3 a { color: inherit; text-decoration: none; }
code, pre { font: .875em/1.5 ui-monospace, monospace; }
code { background: var(--soft); padding: .1em .3em; border-radius: 3px; overflow-wrap: anywhere; }
pre { background: var(--soft); padding: .8rem 1rem; border-radius: 6px; overflow-x: auto; }
pre code { background: none; padding: 0; }
.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .15rem 1rem; margin: .8rem 0; }
.facts dt { color: var(--faint); }
.facts dd { margin: 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--faint); font-weight: 600; }
details { margin: .6rem 0; }
summary { cursor: pointer; color: var(--link); }
.faint { color: var(--faint); }
@media (max-width: 50rem) {
  .layout { grid-template-columns: minmax(0, 1fr); }
  nav { position: static; height: auto; border-right: 0; border-bottom: 1px solid var(--line); }
  nav ul { display: flex; flex-wrap: wrap; gap: 0 1rem; }
}
@media print { nav { display: none; } }
`;
