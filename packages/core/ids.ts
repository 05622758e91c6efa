// Ids of objects, apart from their schemas: the console looks for them too, and brings no schemas to the browser.

/** A UUID as the platform writes it. */
export const idShape = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
