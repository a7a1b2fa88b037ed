"""Extensions, unbound: `create_app` binds them."""

from flask_jwt_extended import JWTManager
from flask_migrate import Migrate

from grocery.api import Api

api = Api()
jwt = JWTManager()
migrate = Migrate()
