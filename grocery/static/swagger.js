const element = document.getElementById("swagger-ui");
window.ui = SwaggerUIBundle({
  url: element.dataset.spec,
  domNode: element,
  deepLinking: true,
  docExpansion: "none",
  persistAuthorization: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
});
