"use strict";
// Shows the description of the interface. Whatever it says is put in as text.

function add(parent, name, text) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

function table(parent, head, rows) {
  if (!rows.length) return;
  const made = add(parent, "table");
  const top = add(add(made, "thead"), "tr");
  for (const text of head) add(top, "th", text).scope = "col";
  const body = add(made, "tbody");
  for (const row of rows) {
    const line = add(body, "tr");
    row.forEach((text, index) => add(add(line, "td"), index ? "span" : "code", text));
  }
}

function typeOf(schema) {
  if (!schema) return "";
  const usual = schema.default === undefined ? "" : `, default ${schema.default}`;
  return (schema.enum ? schema.enum.join(" | ") : String(schema.type)) + usual;
}

async function show() {
  const found = await (await fetch("openapi.json")).json();
  document.getElementById("description").textContent = found.info.description;
  const place = new URL("v1/read?format=text", document.baseURI);
  document.getElementById("example").textContent = `curl --data-binary @scan.pdf "${place}"`;
  const paths = document.getElementById("paths");
  for (const [path, methods] of Object.entries(found.paths)) {
    for (const [method, what] of Object.entries(methods)) {
      const section = add(paths, "section");
      add(add(section, "h2"), "code", `${method.toUpperCase()} ${path}`);
      add(section, "p", [what.summary, what.description].filter(Boolean).join(" "));
      if (what.security && what.security.length) add(section, "p", "Needs a key.");
      table(section, ["option", "in", "type", "meaning"],
        (what.parameters || []).map((one) => [one.name, one.in, typeOf(one.schema), one.description]));
      const bodies = Object.keys((what.requestBody || { content: {} }).content);
      if (bodies.length) add(section, "p", `Body: ${bodies.join(" or ")}`);
      table(section, ["status", "meaning", "content"], Object.entries(what.responses).map(
        ([status, one]) => [status, one.description, Object.keys(one.content || {}).join(", ")]));
    }
  }
}

show();
