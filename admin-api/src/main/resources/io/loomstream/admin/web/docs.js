// Shows openapi.json to people.
'use strict';

function element(name, text) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  return made;
}

function described(list, describe) {
  const made = element('ul');
  for (const one of list) made.append(element('li', describe(one)));
  return made;
}

fetch('/openapi.json').then(answer => answer.json()).then(api => {
  document.getElementById('state').textContent = 'version ' + api.info.version;
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, route] of Object.entries(methods)) {
      const section = element('section');
      section.append(element('h2', `${method.toUpperCase()} ${path}`), element('p', route.summary));
      if (route.parameters) {
        section.append(described(route.parameters, parameter => `${parameter.name}: ${parameter.description}`));
      }
      section.append(described(Object.entries(route.responses), ([status, answer]) => `${status}: ${answer.description}`));
      document.getElementById('routes').append(section);
    }
  }
});
