"""The members' doors and their own pages, gathered into one blueprint."""

from flask import Blueprint
from flask.blueprints import BlueprintSetupState

from alerts.membership.joining.views import joining
from alerts.membership.preferences.views import own
from alerts.membership.sign_in.budgets import CodeBudgets
from alerts.membership.sign_in.views import signing_in

membership = Blueprint("membership", __name__)
membership.register_blueprint(joining)
membership.register_blueprint(signing_in)
membership.register_blueprint(own)


@membership.record_once
def _budgets_of_this_application(state: BlueprintSetupState) -> None:
    state.app.extensions["code_budgets"] = CodeBudgets()
