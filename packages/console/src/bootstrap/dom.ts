// Making elements without a framework: text is only ever set as text, so nothing that was typed becomes markup.

type Child = Node | string | null;
type Attributes = Readonly<Record<string, string | boolean | ((event: Event) => void)>>;

/** An element with attributes (a function listens to the event of its name) and children. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes,
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(name, value);
    else if (typeof value === 'boolean') made.toggleAttribute(name, value);
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** Puts a view in place of the one before, and the reader at its beginning. */
export function show(view: readonly Node[]): void {
  const page = document.getElementById('page');
  if (page === null) throw new Error('the page has no place for its view');
  page.replaceChildren(...view);
  page.querySelector('h1')?.focus();
}
