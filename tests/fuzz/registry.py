"""All campaigns, in the order of the page."""

from tests.fuzz import data_files, models, recipes, records

CAMPAIGNS = (*models.CAMPAIGNS, *records.CAMPAIGNS, *recipes.CAMPAIGNS, *data_files.CAMPAIGNS)
