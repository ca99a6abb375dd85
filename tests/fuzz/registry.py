"""All campaigns, in the order of the page."""

from tests.fuzz import models, recipes, records

CAMPAIGNS = (*models.CAMPAIGNS, *records.CAMPAIGNS, *recipes.CAMPAIGNS)
